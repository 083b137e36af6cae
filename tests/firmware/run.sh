#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/firmware/run.sh
#
# Shows that the core fits a bare microcontroller:
#
#   - its headers include nothing but each other, Boost.Hana, and standard headers that need no operating system;
#   - examples/firmware/run.sh builds an image for each board, without exceptions, RTTI and a C run-time, and runs it in QEMU;
#   - that image holds no allocation, exception, printf and no code that runs before main, and no more flash and RAM than told;
#   - the same program writes the same transcript on this machine, byte for byte;
#   - the core's unit tests pass on each board, compile-time ones in the cross compiler;
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
if command -v ccache >/dev/null; then launcher=(ccache); fi

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
allowed="^#include (<($std)>|<boost/hana/[a-z_/]+\.hpp>|\"(healthz/|views/)?[a-z0-9_]+\.hpp\")"
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

boards=(m4 m0 m33)
there() { examples/firmware/run.sh "$board" >"$out/$board.jsonl"; }
for board in "${boards[@]}"; do
    check "the example builds and runs on the board $board" there
    check "its image holds nothing that it must not" nothing_forbidden "$firmware/$board/healthz.elf"
done
unknown_board() { refused "there is no board 'm5': m0, m4 or m33" examples/firmware/run.sh m5; }
check "another board is refused" unknown_board
choose_board m4
startup=$firmware/$board/startup.o

# With what a C++ run-time with a heap and exceptions wants of its linker script. Its warnings, that there is no operating system, are
# kept until an error: the linker's option against them hides that the memory is too small, too.
run_time=(--specs=nosys.specs)
for symbol in end=bss_end __exidx_start=0 __exidx_end=0 __dso_handle=0; do run_time+=("-Wl,--defsym=$symbol"); done
link_with_run_time() { link "$@" "${run_time[@]}" >"$out/link.txt" 2>&1 || { cat "$out/link.txt"; return 1; }; } # IMAGE OBJECT...

image_refused() { # image_refused MACRO TEXT: the image of forbidden.cpp with MACRO is refused because of TEXT
    local options=("${bare[@]}")
    [ "$1" != USES_THROW ] || options=(-fno-threadsafe-statics)
    compile tests/firmware/forbidden.cpp "$out/bad/$1.o" "${options[@]}" "-D$1" &&
        link_with_run_time "$out/bad/$1.elf" "$startup" "$out/bad/$1.o" &&
        refused "$2" nothing_forbidden "$out/bad/$1.elf"
}
harmless_accepted() {
    compile tests/firmware/forbidden.cpp "$out/bad/harmless.o" "${bare[@]}" && link "$out/bad/harmless.elf" "$startup" "$out/bad/harmless.o" &&
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
    local each
    for each in "${boards[@]}"; do cmp "$out/here.jsonl" "$out/$each.jsonl" || return 1; done
    wc -l <"$out/here.jsonl" | sed 's/$/ lines/'
}
other_transcript_refused() {
    sed 's/05.010000000Z/05.010000001Z/' "$out/here.jsonl" >"$out/bad/here.jsonl"
    refused differ cmp "$out/bad/here.jsonl" "$out/m4.jsonl"
}
says() { # PATTERN : some line of the transcript does
    grep -qE "$1" "$out/here.jsonl" || { echo "no line has $1"; return 1; }
}
failing_image() { # an exit status that is not 0 arrives here
    compile tests/firmware/forbidden.cpp "$out/bad/fails.o" "${bare[@]}" -DFAILS &&
        link "$out/bad/fails.elf" "$startup" "$out/bad/fails.o" || return 1
    run_image "$out/bad/fails.elf"
    [ $? -eq 7 ]
}
lines_are_json() { # TRANSCRIPT
    python3 -c '
import json, sys
for number, line in enumerate(sys.stdin, 1):
    try:
        assert isinstance(json.loads(line), dict)
    except (ValueError, AssertionError):
        sys.exit(f"line {number} is no JSON object: {line}")
' <"$1"
}
bad_line_refused() {
    sed 's/"source":"flash"/"source":flash/' "$out/here.jsonl" >"$out/bad/line.jsonl"
    refused "is no JSON object" lines_are_json "$out/bad/line.jsonl"
}
check "the example runs here" here
check "all boards write the same transcript as this machine" transcripts_agree
check "another transcript is refused" other_transcript_refused
check "each line of it is a JSON object" lines_are_json "$out/here.jsonl"
check "a line that is none is refused" bad_line_refused
for text in '"supply":\{"error":null,"status":"OK"' '"imu":\{"error":null,"status":"OK"' '"modem":\{"error":null,"status":"TIMEOUT"' \
    '"flash":\{"error":\{"message":"flash self-test failed","extra":\{"block":7.*"status":"ERROR"' \
    "\"sd card\":\{\"error\":\"the setting 'chip_select' is not set\",\"status\":\"FAILED\"" \
    '"response":"HTTP/1.1 200 OK\\r\\n' '"response":"HTTP/1.1 503 ' '"response":"HTTP/1.1 401 ' '"watchdog":.*"expired_at":1[12]...\}'; do
    check "the transcript has $text" says "$text"
done

# --- the core's unit tests on the boards

# std::string and its heap are the tests' own. Into the memory of the Cortex-M0's board goes one file of tests at a time, and these not at
# all: they run as instructions for a Cortex-M0 on the Cortex-M4's board.
large="detection direct_site each monitor sha256 source views when"
unit_tests() { # [FLAG...] : compiles tests/core/*.cpp and a runner of our own
    local file
    mkdir -p "$out/$board"
    for file in tests/core/*.cpp tests/firmware/self_test.cpp; do
        compile "$file" "$out/$board/$(basename "$file" .cpp).o" "${bare[@]}" -I tests/firmware "$@" || return 1
    done
    ! "$arm-size" -A "$out/$board/"*.o | grep init_array
}
pass() { # IMAGE NAME... : those of the files NAME.cpp do, all of them, on the chosen board
    local image=$1 objects=() sources=()
    shift
    objects=("${@/#/$unit/}") sources=("${@/#/tests/core/}")
    link_with_run_time "$image" "$startup" "$unit/self_test.o" "${objects[@]/%/.o}" || return 1
    run_image "$image" >"$image.txt" || { grep -v '^passed' "$image.txt"; return 1; }
    [ "$(grep -c '^passed: ' "$image.txt")" -eq "$(cat "${sources[@]/%/.cpp}" | grep -c '^TEST_CASE')" ] && tail -n 1 "$image.txt"
}
all=(tests/core/*.cpp) && all=("${all[@]#tests/core/}") && all=("${all[@]%.cpp}")
pass_one_by_one() { # those that are not large
    local file sum=0 image=$out/$board/one.elf
    for file in "${all[@]}"; do
        [[ " $large " != *" $file "* ]] || continue
        pass "$image" "$file" >"$out/one.txt" || { echo "$file:"; cat "$out/one.txt"; return 1; }
        sum=$((sum + $(grep -c '^passed: ' "$image.txt")))
    done
    echo "$sum passed, 0 failed"
}
too_large() { # a program of which the board has no room for the tests
    refused "region \`data' overflowed" link_with_run_time "$out/bad/large.elf" "$startup" "$unit/self_test.o" "$unit/monitor.o"
}
failing_image() { # an exit status that is not 0 arrives here
    compile tests/firmware/forbidden.cpp "$out/bad/fails.o" "${bare[@]}" -DFAILS &&
        link "$out/bad/fails.elf" "$startup" "$out/bad/fails.o" || return 1
    run_image "$out/bad/fails.elf"
    [ $? -eq 7 ]
}
failing_unit_test() {
    for source in forbidden self_test; do
        compile "tests/firmware/$source.cpp" "$out/bad/$source.o" "${bare[@]}" -I tests/firmware -DFAILS_A_CHECK || return 1
    done
    link_with_run_time "$out/bad/self_test.elf" "$startup" "$out/bad/forbidden.o" "$out/bad/self_test.o" &&
        refused 'CHECK(sizeof(int) + 1 == 4) failed' run_image "$out/bad/self_test.elf"
}
for board in "${boards[@]}"; do
    choose_board "$board"
    startup=$firmware/$board/startup.o unit=$out/$board
    check "an image that fails on the board $board is noticed" failing_image
    check "a failing unit test is noticed there" failing_unit_test
    if [ "$board" = m0 ]; then
        check "the core's unit tests compile for the board $board, and nothing of them runs before main" unit_tests
        check "they pass there, one file at a time" pass_one_by_one
        check "the linker says what the board has no memory for" too_large
        choose_board m4
        check "the others of the same code pass on the board $board" pass "$out/m0/large.elf" $large
    else
        check "the core's unit tests compile for the board $board, and nothing of them runs before main" unit_tests -O1
        check "they pass there" pass "$out/$board/all.elf" "${all[@]}"
    fi
done

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
