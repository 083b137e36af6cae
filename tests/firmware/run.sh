#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/firmware/run.sh
#
# Shows that the core fits a bare microcontroller:
#
#   - its headers include nothing but each other, Boost.Hana, and standard headers that need no operating system;
#   - examples/firmware/run.sh builds an image for a Cortex-M4 without exceptions, RTTI and a C run-time, and runs it in QEMU;
#   - that image holds no allocation, exception, printf and no code that runs before main, and no more flash and RAM than told;
#   - the same program writes the same transcript on this machine, byte for byte;
#   - the core's unit tests pass on the target, compile-time ones in the cross compiler;
#   - a poll with nothing due costs a handful of instructions, the same for 1 and for 256 sources.
#
# Each check is itself checked: there is something that it refuses.
# Environment: CXX=g++, the compiler of this machine.
set -u
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
root=$PWD here=$PWD/tests/firmware
out=$root/build/firmware/test
rm -rf "$root/build/firmware"
mkdir -p "$out/bad"
source examples/firmware/toolchain.sh

passed=0 failed=0
check() { # check TITLE COMMAND... : the command succeeds
    local title=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "passed: $title${output:+ ($(head -n 1 <<<"$output"))}"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n%s\n' "$title" "$output"
    fi
}
refused() { # refused TEXT COMMAND... : the command fails, and its output says TEXT
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then echo "not refused"; return 1; fi
    grep -qF -e "$text" <<<"$output" || { echo "refused, but not for '$text': $output"; return 1; }
}

# --- what the core includes

std="array|bit|chrono|concepts|cstddef|cstdint|memory|numeric|optional|span|string_view|type_traits|utility"
allowed="^#include (<($std)>|<boost/hana/[a-z_/]+\.hpp>|\"(healthz/)?[a-z0-9_]+\.hpp\")"
allowed_includes() { # of the core whose folder is $1
    local bad
    cd "$1" || return 1
    [ -s healthz.hpp ] && [ -s healthz/monitor.hpp ] || { echo "there is no core"; return 1; }
    bad=$(grep -E '^[[:space:]]*(#|%:)[[:space:]]*(include|import)|^[[:space:]]*import[[:space:]]' healthz.hpp healthz/*.hpp healthz/views/*.hpp healthz/artefacts/*.hpp |
        sed -E 's/^([^:]*):/\1 has /' | grep -vE "has ${allowed#^}" | grep -vE '^healthz/(views|artefacts)/[a-z]+\.hpp has #include "\.\./(views/)?[a-z0-9_]+\.hpp"')
    [ -z "$bad" ] || { echo "$bad"; return 1; }
    ls healthz.hpp healthz/*.hpp healthz/views/*.hpp healthz/artefacts/*.hpp | wc -l | sed 's/$/ headers/'
}
includes_refused() { # the core with one more include is refused
    rm -rf "$out/bad/include"
    cp -r "$root/include" "$out/bad/include"
    echo "#include $1" >>"$out/bad/include/healthz/cycle.hpp"
    refused "healthz/cycle.hpp has #include $1" allowed_includes "$out/bad/include"
}
check "the core includes only what it may" allowed_includes "$root/include"
for header in '<string>' '<boost/asio.hpp>' '<boost/hana.hpp>' '<unistd.h>' '"asio/runner.hpp"' '"../healthz.hpp"'; do
    check "an include of $header is refused" includes_refused "$header"
done

# --- an image for the bare machine

forbidden='(^|_)(malloc|free|calloc|realloc|sbrk)(_r)?$|^_Zn[wa]|^_Zd[la]|^__cxa_|_Unwind_|personality|printf|^_ZTI|^_ZTS|^abort$'
nothing_forbidden() { # in this image
    local image=$1 symbols bad
    [ -s "$image" ] || { echo "there is no image"; return 1; }
    symbols=$("$arm-nm" "$image" | awk '{ print $NF }') || return 1
    grep -qx main <<<"$symbols" || { echo "nm shows no main"; return 1; }
    bad=$(grep -E "$forbidden" <<<"$symbols")
    [ -z "$bad" ] || { echo "the image holds:" $bad; return 1; }
    bad=$("$arm-size" -A "$image" | awk '/init_array/ && $2 > 0 { print $2, "bytes of", $1 }')
    [ -z "$bad" ] || { echo "the image holds $bad"; return 1; }
    "$arm-size" "$image" | awk 'NR == 2 { print $1 + $2, "bytes of flash,", $2 + $3, "of RAM" }'
}

there() { examples/firmware/run.sh >"$out/there.jsonl"; }
check "the example builds and runs as a Cortex-M4 image" there
check "its image holds nothing that it must not" nothing_forbidden "$firmware/healthz.elf"

# What a C++ run-time with a heap and exceptions wants of its linker script, to link what must be refused.
run_time=(--specs=nosys.specs -Wl,--no-warnings)
for symbol in end=0x20100000 __exidx_start=0 __exidx_end=0 __dso_handle=0; do run_time+=("-Wl,--defsym=$symbol"); done

image_refused() { # image_refused MACRO TEXT: the image of forbidden.cpp with MACRO is refused because of TEXT
    local options=("${bare[@]}")
    [ "$1" != USES_THROW ] || options=(-fno-threadsafe-statics)
    compile tests/firmware/forbidden.cpp "$out/bad/$1.o" "${options[@]}" "-D$1" &&
        link "$out/bad/$1.elf" "$firmware/startup.o" "$out/bad/$1.o" "${run_time[@]}" &&
        refused "$2" nothing_forbidden "$out/bad/$1.elf"
}
harmless_accepted() {
    compile tests/firmware/forbidden.cpp "$out/bad/harmless.o" "${bare[@]}" && link "$out/bad/harmless.elf" "$firmware/startup.o" "$out/bad/harmless.o" &&
        nothing_forbidden "$out/bad/harmless.elf"
}
check "an image without anything forbidden is accepted" harmless_accepted
check "an image with new is refused" image_refused USES_NEW _Znwj
check "an image with delete is refused" image_refused USES_DELETE _ZdlPv
check "an image with malloc is refused" image_refused USES_MALLOC malloc
check "an image with throw is refused" image_refused USES_THROW __cxa_throw
check "an image with printf is refused" image_refused USES_PRINTF printf
check "an image with code before main is refused" image_refused USES_DYNAMIC_INITIALISATION init_array

# --- the same program here and there

here() {
    "${CXX:-g++}" -std=c++20 -O1 "${bare[@]}" -I include examples/firmware/firmware.cpp -o "$out/here" && "$out/here" >"$out/here.jsonl"
}
transcripts_agree() { # the whole of them
    cmp "$out/here.jsonl" "$out/there.jsonl" && wc -l <"$out/there.jsonl" | sed 's/$/ lines/'
}
other_transcript_refused() {
    sed 's/05.010000000Z/05.010000001Z/' "$out/here.jsonl" >"$out/bad/here.jsonl"
    refused differ cmp "$out/bad/here.jsonl" "$out/there.jsonl"
}
says() { # PATTERN : some line of the transcript does
    grep -qE "$1" "$out/there.jsonl" || { echo "no line has $1"; return 1; }
}
failing_image() { # an exit status that is not 0 arrives here
    compile tests/firmware/forbidden.cpp "$out/bad/fails.o" "${bare[@]}" -DFAILS &&
        link "$out/bad/fails.elf" "$firmware/startup.o" "$out/bad/fails.o" || return 1
    run_image "$out/bad/fails.elf"
    [ $? -eq 7 ]
}
lines_are_json() {
    local line
    while IFS= read -r line; do
        [[ $line == '{"'*'}' ]] || { echo "no JSON document: $line"; return 1; }
    done <"$out/there.jsonl"
}
check "the example runs here" here
check "both write the same transcript" transcripts_agree
check "another transcript is refused" other_transcript_refused
check "each line of it is an object" lines_are_json
for text in '"supply":\{"error":null,"status":"OK"' '"imu":\{"error":null,"status":"OK"' '"modem":\{"error":null,"status":"TIMEOUT"' \
    '"flash":\{"error":\{"message":"flash self-test failed","extra":\{"block":7.*"status":"ERROR"' \
    "\"sd card\":\{\"error\":\"the setting 'chip_select' is not set\",\"status\":\"FAILED\"" \
    '"response":"HTTP/1.1 200 OK\\r\\n' '"response":"HTTP/1.1 503 ' '"response":"HTTP/1.1 401 ' '"watchdog":.*"expired_at":1[12]...\}'; do
    check "the transcript has $text" says "$text"
done
check "an image that fails is noticed" failing_image

# --- the core's unit tests on the target

self_test() { # IMAGE [FLAG...] : tests/core/*.cpp with a runner of our own; std::string and its heap are the tests' own
    local source objects=() image=$1
    for source in tests/core/*.cpp tests/firmware/self_test.cpp; do
        objects+=("$image-$(basename "$source").o")
        compile "$source" "${objects[-1]}" "${bare[@]}" -O1 -I tests/firmware "${@:2}" || return 1
    done
    ! "$arm-size" -A "${objects[@]}" | grep init_array || return 1
    link "$image" "$firmware/startup.o" "${objects[@]}" "${run_time[@]}"
}
run_self_test() {
    run_image "$out/self_test.elf" >"$out/self_test.txt" || { grep -v '^passed' "$out/self_test.txt"; return 1; }
    [ "$(grep -c '^passed: ' "$out/self_test.txt")" -eq "$(cat tests/core/*.cpp | grep -c '^TEST_CASE')" ] &&
        tail -n 1 "$out/self_test.txt"
}
failing_self_test() {
    for source in forbidden self_test; do
        compile "tests/firmware/$source.cpp" "$out/bad/$source.o" "${bare[@]}" -I tests/firmware -DFAILS_A_CHECK || return 1
    done
    link "$out/bad/self_test.elf" "$firmware/startup.o" "$out/bad/forbidden.o" "$out/bad/self_test.o" "${run_time[@]}" &&
        refused 'CHECK(sizeof(int) + 1 == 4) failed' run_image "$out/bad/self_test.elf"
}
check "the core's unit tests compile for the target, and nothing of them runs before main" self_test "$out/self_test.elf"
check "they pass on the target" run_self_test
check "a failing unit test is noticed there" failing_self_test

# --- what a poll costs

instructions() { # SOURCES [FLAG...] : of a poll, counted
    "${CXX:-g++}" -std=c++20 -O2 -I include "-DSOURCES=$1" "${@:2}" tests/firmware/poll_cost.cpp -o "$out/poll_cost" || return 1
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no '--toggle-collect=poll_now*' \
        "$out/poll_cost" 2>&1 | sed -nE 's/^.*Collected : ([0-9]+)$/\1/p' | awk '{ print int($1 / 1000); found = 1 } END { exit !found }'
}
idle_poll_is_cheap() { # [FLAG...]
    local one many
    one=$(instructions 1 "$@") && many=$(instructions 256 "$@") || return 1
    [ "$one" -gt 0 ] && [ "$one" -eq "$many" ] && [ "$many" -le 15 ] || { echo "too many: $one for 1 source, $many for 256"; return 1; }
    echo "$one instructions for 1 source, $many for 256"
}
check "a poll with nothing due costs the same for 1 and for 256 sources" idle_poll_is_cheap
check "a poll with something due is refused by that check" refused "too many" idle_poll_is_cheap -DDUE

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
