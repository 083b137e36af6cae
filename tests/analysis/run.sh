#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/analysis/run.sh
#
# Static analysis: clang-tidy, with the checks of .clang-tidy, of all headers and of two programs that use their templates; each check that
# is left out or silenced has its reason beside it; and includes.py. All are themselves checked: they find what is planted.
# Environment: JOBS=2, how many run at once.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
build=build/analysis
cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DHEALTHZ_BUILD_EXAMPLES=OFF \
    -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >$build.log ||
    { cat $build.log; exit 1; }

tidy() { clang-tidy --config-file=.clang-tidy --quiet "$@" 2>&1 | sed '/ warnings generated\.$/d'; } # where it is quiet on them

tells_planted() { # each line of it whose comment is a check, in a header of ours
    local planted=$build/include/healthz/planted.hpp told number check
    mkdir -p "$(dirname $planted)"
    cat >$planted <<'P'
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>
inline void analysed(int* number) {
    if (number == nullptr) *number = 1;  // clang-analyzer-core.NullDereference
}
inline std::string planted(std::string text, std::vector<std::string> const& texts, int* number) {
    for (auto const each : texts) text += each;  // performance-for-range-copy
    text += std::getenv("TEXT");  // concurrency-mt-unsafe
    *number += std::atoi(text.c_str());  // cert-err34-c
    std::string const moved = std::move(text);
    return moved + text;  // bugprone-use-after-move
}
P
    printf '%s\n' '#include <healthz/planted.hpp>' 'void used(int* number) { analysed(number); }' >$build/planted.cpp
    if told=$(tidy $build/planted.cpp -- -std=c++20 -I $build/include); then echo "nothing is told"; return 1; fi
    while IFS=: read -r number check; do
        grep -qE "planted.hpp:$number:[0-9]+: error: .*\[$check[],]" <<<"$told" || { echo "$check is not told: $told"; return 1; }
    done < <(sed -nE '/  \/\/ [a-z]/{=;s/.*  \/\/ //p}' $planted | paste -d: - -)
}

reasons() { # CONFIGURATION FOLDER... : what is left out or silenced without one
    local check
    sed -nE 's/^    -([a-z].*[^,]),?$/\1/p' "$1" | while read -r check; do
        grep -qE "^# $check: [a-z]" "$1" || echo "$1 gives no reason for leaving out $check"
    done
    grep -rn --include='*.[hc]pp' NOLINT "${@:2}" | grep -vE 'NOLINT(NEXTLINE)?\([a-zA-Z.-]+\): [a-zA-Z]' || true
}
have_reasons() {
    local bare=$build/bare lacking
    lacking=$(reasons .clang-tidy include tests examples benchmarks)
    [ -z "$lacking" ] || { echo "without a reason: $lacking"; return 1; }
    mkdir -p $bare
    printf '    -%s,\n' bugprone-a cert-b | tee $bare/clang-tidy >/dev/null
    printf '%s\n' '# bugprone-a: it sees ghosts' >>$bare/clang-tidy
    printf 'int a;  // %s\n' 'NOLINT(cert-b): so it is' 'NOLINT(cert-b)' 'NOLINT' 'NOLINT: so it is' >$bare/bare.cpp
    [ "$(reasons $bare/clang-tidy $bare | wc -l)" -eq 4 ] || { echo "what has no reason is overlooked"; return 1; }
}

failed=$(mktemp)
trap 'rm -f "$failed"' EXIT
passed=0
check() { # TITLE COMMAND... : it succeeds, beside others
    passed=$((passed + 1))
    while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n || true; done
    {
        if output=$("${@:2}" 2>&1); then echo "passed: $1${output:+ ($output)}"
        else printf 'FAILED: %s\n%s\n' "$1" "$output" | tee -a "$failed"; fi
    } &
}
check "clang-tidy, what the servers do not use" tidy -p $build tests/analysis/instances.cpp
check "clang-tidy, the headers" tidy -p $build $build/tests/headers/all.cpp
check "clang-tidy, a server with all common sources" tidy -p $build tests/soak/server.cpp
check "headers include what they name" /usr/bin/python3 tests/analysis/includes.py $build
check "clang-tidy tells what is planted" tells_planted
check "what is left out or silenced has a reason" have_reasons
wait
[ ! -s "$failed" ] || exit 1
echo "$passed passed, 0 failed"
