#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/fuzz/run.sh SECONDS [TARGET...]
#        tests/fuzz/run.sh --runs COUNT [TARGET...]
#
# Builds the fuzzers (libFuzzer with the address and undefined-behaviour sanitizers) and runs each for so many seconds, or for COUNT inputs that
# are the same each time. A target is a file here: TARGET.cpp, with TARGET.seeds, an input to begin with in each line as printf's %b takes it,
# and TARGET.dict where it has words. What a run finds on the way is kept in build/fuzz/corpus. The first broken promise ends it, and leaves
# the input in build/fuzz. JOBS (2) fuzzers run at once.
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in
--runs) limit=(-runs="${2:?}" -seed=1) && shift 2 ;;
[0-9]*) limit=(-max_total_time="$1") && shift ;;
*) sed -n '3,/^set /s/^# \{0,1\}//p' "$0" | head -n -1; exit 2 ;;
esac
if [ $# -eq 0 ]; then
    for file in tests/fuzz/*.cpp; do set -- "$@" "$(basename "$file" .cpp)"; done
fi
out=$PWD/build/fuzz jobs=${JOBS:-2}
mkdir -p "$out"
flags=(-std=c++20 -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    -Iinclude -isystem "$(pg_config --includedir)")
declare -A libraries=([conninfo]=-lpq)

build() { # TARGET
    ccache clang++ "${flags[@]}" -fsanitize=fuzzer -c "tests/fuzz/$1.cpp" -o "$out/$1.o"
    # shellcheck disable=SC2086  # several libraries
    clang++ -fsanitize=fuzzer,address,undefined "$out/$1.o" "$out/json.lib.o" -o "$out/$1" ${libraries[$1]:-} -lcrypto
}
fuzz() { # TARGET
    local corpus=$out/corpus/$1 words=() n=0 line
    mkdir -p "$corpus"
    while IFS= read -r line; do
        n=$((n + 1))
        printf '%b' "$line" >"$corpus/seed_$n"
    done <"tests/fuzz/$1.seeds"
    [ ! -f "tests/fuzz/$1.dict" ] || words=(-dict="tests/fuzz/$1.dict")
    "$out/$1" "${limit[@]}" -max_len=1000 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$out/$1." "${words[@]}" \
        "$corpus" >"$out/$1.txt" 2>&1
}

ccache clang++ -std=c++20 -O1 -fsanitize=address,undefined -c tests/json_src.cpp -o "$out/json.lib.o"
export CCACHE_SLOPPINESS=time_macros
for target in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    build "$target" &
done
for pid in $(jobs -p); do wait "$pid"; done

declare -A running=()
failed=0 passed=0
finish() { # TARGET PID
    local count
    if ! wait "$2"; then
        failed=$((failed + 1))
        printf '%-12s FAILED: ' "$1"
        grep -m 1 -aE '^broken:|ERROR|runtime error' "$out/$1.txt" || true
        grep -aE 'Test unit written|Base64' "$out/$1.txt" || true
        return
    fi
    passed=$((passed + 1))
    count=$(sed -nE 's/^stat::number_of_executed_units: //p' "$out/$1.txt")
    printf '%-12s %11d inputs, %5d a second\n' "$1" "$count" "$(sed -nE 's/^stat::average_exec_per_sec: *//p' "$out/$1.txt")"
}
for target in "$@"; do
    while [ ${#running[@]} -ge "$jobs" ]; do
        for each in "${!running[@]}"; do
            kill -0 "${running[$each]}" 2>/dev/null && continue
            finish "$each" "${running[$each]}"
            unset "running[$each]"
        done
        sleep 0.2
    done
    fuzz "$target" &
    running[$target]=$!
done
for each in "${!running[@]}"; do finish "$each" "${running[$each]}"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
