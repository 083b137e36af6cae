#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/simulation/planted.sh
#
# Shows that the simulation finds bugs: plants one after another into a copy of the headers, and expects a difference from the model within
# the first minute of CPU. CXX (g++) is the compiler.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
dir=build/planted
mkdir -p $dir
flags=(-std=c++20 -O0 -g0 -Itests/simulation)
if command -v ccache >/dev/null; then CXX="ccache ${CXX:-g++}"; fi
CXX=${CXX:-g++}

# Without optimisation: that takes a third of the time to compile, and no bug needs long. What does not see one is compiled once.
$CXX "${flags[@]}" -Iinclude -c tests/simulation/main.cpp -o $dir/main.o
$CXX "${flags[@]}" -Iinclude -c tests/json_src.cpp -o $dir/json.o

# plant NAME HEADER LINE-BEFORE LINE-AFTER: the line, given as plain text, is there once. The bugs are looked for in the parts of `parts`.
passed=0
parts=planted
plant() {
    local name=$1 header=$2 before=$3 after=$4 count log=$dir/$1.txt
    rm -rf "$dir/include"
    cp -r include $dir/include
    count=$(grep -cF -- "$before" "include/healthz/$header" || true)
    [ "$count" -eq 1 ] || { echo "planted.sh: '$before' stands $count times in $header"; exit 1; }
    BEFORE=$before AFTER=$after awk '{
        at = index($0, ENVIRON["BEFORE"])
        print at ? substr($0, 1, at - 1) ENVIRON["AFTER"] substr($0, at + length(ENVIRON["BEFORE"])) : $0
    }' "include/healthz/$header" >"$dir/include/healthz/$header"
    $CXX "${flags[@]}" -I$dir/include -c tests/simulation/$parts.cpp -o "$dir/$name.o"
    g++ $dir/main.o $dir/json.o "$dir/$name.o" -o "$dir/$name"
    if (ulimit -t 60 && "$dir/$name" >"$log"); then
        echo "planted.sh: nothing was found of '$name': $after"
        exit 1
    fi
    grep -q FAILED "$log" || { echo "planted.sh: no difference was told for '$name', see $log"; exit 1; }
    sed -nE 's/.* at ([0-9]+) ms, in step [0-9]+: (.*)/\1 \2/p' "$log" | sort -n | head -n 1 | # that of the part that found it first
        awk -v name="$name" '{ days = $1 / 86400000; sub(/^[0-9]+ /, ""); printf "%-10s found after %.4f simulated days: %s\n", name, days, $0 }'
    passed=$((passed + 1))
}

plant retries cycle.hpp 'if (may_retry && attempt_ < s.retries) {' 'if (may_retry && attempt_ <= s.retries) {'
plant grid cycle.hpp '(since < s.interval ? s.interval' '(since <= s.interval ? s.interval'
plant threshold thresholds.hpp 'count_ + 1 >= (is_ok' 'count_ >= (is_ok'
plant member combine.hpp '(found == before && index < worst_.member)' '(found == before && index > worst_.member)'
plant wake monitor.hpp 'wake_ = now + nearest;' 'wake_ = now + nearest + 1;'
parts=buses
plant bus monitor.hpp 'begun[place.bus] = true' 'begun[place.bus] = false'
parts=planted_runner
plant late asio/runner.hpp 'return *found.ended > deadline_' 'return *found.ended > deadline_ + std::chrono::hours(1)'
plant twice asio/runner.hpp 'if (!busy_) probe(moment);' 'probe(moment);'
echo "$passed passed, 0 failed"
