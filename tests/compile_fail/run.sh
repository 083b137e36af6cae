#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: run.sh [FILE.cpp...]           (without files: all of this folder)
#
# Each file must be rejected by g++ and by clang++, and the reader must see why:
# - The first sentence of ours is that of the line "// EXPECT: sentence" of the file. It stands in the first 8 lines of the
#   compiler's output, and in the first line with "error:" or above it.
# - Its first 20 lines hold the text of every line "// NAMES: text".
# - It has as many errors as a line "// ERRORS: 1" says, where there is one: nothing is said that follows from the first.
# "// EXPECT(g++): sentence" and the like are for one of the compilers.
# With -DTWIN the same file compiles, so that it cannot fail for another reason than the one it shows. Most twins are compiled as one, each
# in a namespace of its own, which takes a quarter of the time; if that fails, each alone, to tell which.
# <healthz.hpp> is precompiled under build/compile_fail: the messages are the same, and a file takes a sixth of the time.
# Environment: COMPILERS="g++ clang++", JOBS=2, CXXFLAGS="more flags".
set -u
here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../include precompiled=$here/../../build/compile_fail

# How to compile with one compiler.
compile() {
    local precompiled=$precompiled/$1/healthz.hpp
    local first=(-include "$precompiled")
    [ -e "$precompiled.gch" ] || first=()
    "$1" -std=c++20 -I "$include" "${first[@]}" ${CXXFLAGS:-} "${@:2}"
}
precompile() {
    local dir=$precompiled/$1
    rm -rf "$dir" && mkdir -p "$dir"
    compile "$1" -x c++-header "$include/healthz.hpp" -o "$dir/precompiled" 2>"$dir/log.txt" || { cat "$dir/log.txt"; return 1; }
    mv "$dir/precompiled" "$dir/healthz.hpp.gch"
}

# compile_twins COMPILER NUMBER FILE... : if the twins of these compile as one, they are in twins.txt
compile_twins() {
    local compiler=$1 all=$precompiled/$1/twins_$2.cpp file
    shift 2
    {
        echo '#include <healthz.hpp>'
        sed -n '/^#include </p' "$@" | sort -u
        echo '#define TWIN'
        for file in "$@"; do printf 'namespace of_%s {\n#include "%s"\n}\n' "$(basename "$file" .cpp)" "$file"; done
    } >"$all"
    if compile "$compiler" -fsyntax-only "$all" 2>"${all%.cpp}.txt"; then printf '%s\n' "$@" >>"$precompiled/$compiler/twins.txt"; fi
}

# What the file that is checked says of the compiler that checks it, whichever version that is.
lines_of() {
    local kind=${compiler%-[0-9]*}
    sed -nE "s,^// $1(\\(${kind//+/[+]}\\))?: *(.*[^ ]) *\$,\\2,p" "$file"
}

# Checks one file with one compiler; prints what is wrong.
check() {
    local compiler=$1 file=$2 name output head text expected place error
    name="$(basename "$file") ($compiler)"
    local command=(compile "$compiler" -fsyntax-only "$file")

    expected=$(lines_of EXPECT)
    if [ -z "$expected" ]; then echo "FAILED $name: no line '// EXPECT: sentence'"; return 1; fi

    if output=$("${command[@]}" 2>&1); then echo "FAILED $name: it compiles"; return 1; fi
    head=$(head -n 20 <<<"$output")
    error=$(grep -nm 1 'error:' <<<"$output" | cut -d : -f 1)
    place=$(grep -nm 1 -F -e 'healthz: ' -e "$expected" <<<"$output" | cut -d : -f 1)
    if [[ "$(sed -n "${place:-1}p" <<<"$output")" != *"$expected"* ]]; then
        printf 'FAILED %s: the first sentence is not "%s":\n%s\n' "$name" "$expected" "$head"
        return 1
    fi
    if [ "$place" -gt 8 ] || [ "$place" -gt "${error:-0}" ]; then
        printf 'FAILED %s: the sentence stands in line %s, the first error in line %s:\n%s\n' "$name" "$place" "$error" "$head"
        return 1
    fi
    while IFS= read -r text; do
        if ! grep -qF -e "$text" <<<"$head"; then
            printf 'FAILED %s: the first 20 lines do not say "%s":\n%s\n' "$name" "$text" "$head"
            return 1
        fi
    done < <(lines_of NAMES)

    local wanted errors
    wanted=$(lines_of ERRORS) errors=$(grep -c 'error:' <<<"$output")
    if [ "${wanted:-$errors}" -ne "$errors" ]; then
        printf 'FAILED %s: it has %s errors:\n%s\n' "$name" "$errors" "$(grep 'error:' <<<"$output" | head -n 20)"
        return 1
    fi

    if ! grep -q 'TWIN' "$file"; then echo "FAILED $name: it has no twin (#ifdef TWIN)"; return 1; fi
    if grep -qxF "$file" "$precompiled/$compiler/twins.txt"; then return 0; fi  # it does
    if ! output=$("${command[@]}" -DTWIN 2>&1); then
        printf 'FAILED %s: its twin does not compile:\n%s\n' "$name" "$(head -n 15 <<<"$output")"
        return 1
    fi
}

case "${1:-}" in
--check) check "$2" "$3"; exit ;;
--twins) compile_twins "${@:2}"; exit ;;
esac

for compiler in ${COMPILERS:=g++ clang++}; do
    command -v "$compiler" >/dev/null || { echo "FAILED: $compiler is not installed"; exit 1; }
    precompile "$compiler" || { echo "FAILED: $compiler cannot precompile healthz.hpp"; exit 1; }
done
files=("$@")
[ $# -gt 0 ] || files=("$here"/*.cpp)
[ -e "${files[0]}" ] || { echo "FAILED: there is no compile-fail test in $here"; exit 1; }

# Of those that are about all that a file includes, each twin is compiled alone.
mapfile -t together < <(grep -LE '^namespace healthz|hasura|^#include "' "${files[@]}")
for compiler in $COMPILERS; do
    : >"$precompiled/$compiler/twins.txt"
    printf '%s\n' "${together[@]}" | xargs -n 24 | awk -v c="$compiler" '{ print c, NR, $0 }'
done | xargs -P "${JOBS:-2}" -L 1 "$0" --twins

total=0 pairs=()
for file in "${files[@]}"; do
    for compiler in $COMPILERS; do pairs+=("$compiler" "$file"); total=$((total + 1)); done
done
report=$(printf '%s\0' "${pairs[@]}" | xargs -0 -n 2 -P "${JOBS:-2}" "$0" --check)
status=$?
[ -z "$report" ] || printf '%s\n' "$report"
failed=$(grep -c '^FAILED ' <<<"$report")
echo "$((total - failed)) passed, $failed failed"
[ "$status" -eq 0 ] && [ "$failed" -eq 0 ]
