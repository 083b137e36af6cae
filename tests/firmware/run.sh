#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/firmware/run.sh
#
# Shows that the core fits a bare microcontroller:
#
#   - its headers include nothing but each other, Boost.Hana, and standard headers that need no operating system;
#   - examples/superloop.cpp compiles and links for a Cortex-M4 without exceptions, RTTI and a C run-time;
#   - the linked image holds no allocation, exception, printf and no code that runs before main;
#   - the image runs in QEMU, and writes the same document as the same program does here.
#
# Each check is itself checked: there is something that it refuses.
# Environment: CXX=g++, the compiler of this machine.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
arm=arm-none-eabi
boost=${BOOST_INCLUDEDIR:-/usr/include}/boost
out=$root/build/firmware
rm -rf "$out"
mkdir -p "$out/include" "$out/bad"
ln -s "$boost" "$out/include/boost" # all of /usr/include would bring this machine's C library

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

std="array|bit|chrono|concepts|cstddef|cstdint|numeric|optional|span|string_view|type_traits|utility"
allowed="^#include (<($std)>|<boost/hana/[a-z_/]+\.hpp>|\"(healthz/)?[a-z0-9_]+\.hpp\")"
allowed_includes() { # of the core whose folder is $1
    local bad
    cd "$1" || return 1
    [ -s healthz.hpp ] && [ -s healthz/monitor.hpp ] || { echo "there is no core"; return 1; }
    bad=$(grep -E '^[[:space:]]*(#|%:)[[:space:]]*(include|import)|^[[:space:]]*import[[:space:]]' healthz.hpp healthz/*.hpp |
        sed -E 's/^([^:]*):/\1 has /' | grep -vE "has ${allowed#^}")
    [ -z "$bad" ] || { echo "$bad"; return 1; }
    ls healthz.hpp healthz/*.hpp | wc -l | sed 's/$/ headers/'
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

machine=(-mcpu=cortex-m4 -mthumb)
flags=(-std=c++20 -Os -g0 -ffunction-sections -fdata-sections -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
bare=(-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables -fno-asynchronous-unwind-tables)
includes=(-I "$root/include" -isystem "$out/include")

compile() { # compile SOURCE OBJECT [FLAG...]
    "$arm-g++" "${machine[@]}" "${flags[@]}" "${includes[@]}" "${@:3}" -c "$1" -o "$2"
}
link() { # link IMAGE OBJECT [FLAG...]
    "$arm-g++" "${machine[@]}" -nostartfiles --specs=nano.specs -Wl,--gc-sections -T "$root/examples/firmware/mps2.ld" \
        "$2" "$out/startup.o" "${@:3}" -o "$1"
}

forbidden='(^|_)(malloc|free|calloc|realloc|sbrk)(_r)?$|^_Zn[wa]|^_Zd[la]|^__cxa_|_Unwind_|personality|printf|^_ZTI|^_ZTS'
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

check "the start-up code compiles" compile "$root/examples/firmware/startup.cpp" "$out/startup.o" "${bare[@]}"
check "the superloop compiles for a Cortex-M4" compile "$root/examples/superloop.cpp" "$out/superloop.o" "${bare[@]}"
check "the superloop links without a run-time" link "$out/superloop.elf" "$out/superloop.o"
check "its image holds nothing that it must not" nothing_forbidden "$out/superloop.elf"

# What a C++ run-time with a heap and exceptions wants of its linker script, to link what must be refused.
run_time=(--specs=nosys.specs -Wl,--no-warnings)
for symbol in end=0x20100000 __exidx_start=0 __exidx_end=0 __dso_handle=0; do run_time+=("-Wl,--defsym=$symbol"); done

image_refused() { # image_refused MACRO TEXT: the image of forbidden.cpp with MACRO is refused because of TEXT
    local options=("${bare[@]}")
    [ "$1" != USES_THROW ] || options=(-fno-threadsafe-statics)
    compile "$here/forbidden.cpp" "$out/bad/$1.o" "${options[@]}" "-D$1" &&
        link "$out/bad/$1.elf" "$out/bad/$1.o" "${run_time[@]}" &&
        refused "$2" nothing_forbidden "$out/bad/$1.elf"
}
harmless_accepted() {
    compile "$here/forbidden.cpp" "$out/bad/harmless.o" "${bare[@]}" && link "$out/bad/harmless.elf" "$out/bad/harmless.o" &&
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

run_image() { # run_image IMAGE OUTPUT
    timeout 60 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$1" >"$2" </dev/null
}
run_here() {
    "${CXX:-g++}" -std=c++20 -O1 "${bare[@]}" -I "$root/include" "$root/examples/superloop.cpp" -o "$out/superloop" &&
        "$out/superloop" >"$out/here.json"
}
documents_agree() { cmp "$out/here.json" "$out/there.json" && grep -q '"status":"OK"' "$out/there.json"; }
failing_image() { # an exit status that is not 0 arrives here
    compile "$here/forbidden.cpp" "$out/bad/fails.o" "${bare[@]}" -DFAILS && link "$out/bad/fails.elf" "$out/bad/fails.o" || return 1
    run_image "$out/bad/fails.elf" "$out/bad/output"
    [ $? -eq 7 ]
}
check "the superloop runs here" run_here
check "the superloop runs in QEMU" run_image "$out/superloop.elf" "$out/there.json"
check "both write the same document" documents_agree
check "an image that fails is noticed" failing_image

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
