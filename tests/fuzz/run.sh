#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/fuzz/run.sh [--plain] SECONDS [TARGET...]
#        tests/fuzz/run.sh [--plain] --runs COUNT [TARGET...]
#        tests/fuzz/run.sh --minute [TARGET...]
#
# Builds the fuzzers (libFuzzer with the address and undefined-behaviour sanitizers) and runs each for so many seconds, or for COUNT inputs, or for
# its share of what takes a minute in all. A target is a file here: TARGET.cpp, with TARGET.seeds, an input to begin with in each line as printf's %b
# takes it, and TARGET.dict where it has words. With --plain there are no sanitizers, and several times as many inputs in the same time.
#
# What a run of some seconds finds on the way is kept in build/fuzz/corpus, and the next one begins with it. The others begin with the seeds alone, and
# so have the same inputs each time. The first broken promise ends a run, and leaves the input in build/fuzz. JOBS (2) fuzzers run at once, with
# inputs of at most LENGTH (1000) bytes: short ones are several times as many in the same time. How many inputs each target has been given in all is kept
# in build/fuzz/total.tsv and shown at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
declare -A minute=([conninfo]=120000 [credentials]=90000 [json]=15000 [metadata]=120000 [odbc_string]=60000 [parser]=200000 [redact]=90000 [redis]=90000
    [reply]=90000 [request]=90000 [settings]=30000 [site]=120000 [url]=150000 [views]=3000)
out=$PWD/build/fuzz jobs=${JOBS:-2} kind=sanitized same=""
checks=(-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined)
if [ "${1:-}" = --plain ]; then
    kind=plain checks=(-O2 -D_GLIBCXX_ASSERTIONS -fno-sanitize-coverage=trace-cmp)
    shift
fi
case ${1:-} in
--minute) same=share && shift ;;
--runs) same=${2:?} && shift 2 ;;
[0-9]*) seconds=$1 && shift ;;
*) sed -n '3,/^set /s/^# \{0,1\}//p' "$0" | head -n -1; exit 2 ;;
esac
if [ $# -eq 0 ]; then
    for file in tests/fuzz/*.cpp; do set -- "$@" "$(basename "$file" .cpp)"; done
fi
programs=$out/$kind
mkdir -p "$programs"
flags=(-std=c++20 "${checks[@]}" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude -isystem "$(pg_config --includedir)")
# Of unixODBC the archive, which has the parser that its shared library hides.
declare -A options_of=([views]=-fno-sanitize-coverage=trace-cmp) # which would take nine tenths of its time
declare -A libraries=([conninfo]=-lpq [odbc_string]="-Wl,-Bstatic -lodbc -Wl,-Bdynamic -l:libltdl.so.7")

build() { # TARGET
    # shellcheck disable=SC2086  # several options or none
    ccache clang++ "${flags[@]}" -fsanitize=fuzzer ${options_of[$1]:-} -c "tests/fuzz/$1.cpp" -o "$programs/$1.o"
    # shellcheck disable=SC2086  # several libraries
    clang++ "${checks[@]}" -fsanitize=fuzzer "$programs/$1.o" "$programs/json.lib.o" -o "$programs/$1" ${libraries[$1]:-} -lcrypto
}
fuzz() { # TARGET
    local corpus=$out/corpus/$1 options=() n=0 line
    if [ -n "$same" ]; then
        corpus=$out/same/$1
        rm -rf "$corpus"
        local runs=$same
        if [ "$same" = share ]; then runs=${minute[$1]:?is no target that has a share}; fi
        # Neither by what was compared, among which are addresses, nor by what other processes found meanwhile.
        options=(-runs="$runs" -seed=1 -use_cmp=0 -reload=0)
    else
        options=(-max_total_time="$seconds")
    fi
    mkdir -p "$corpus"
    while IFS= read -r line; do
        n=$((n + 1))
        printf '%b' "$line" >"$corpus/seed_$n"
    done <"tests/fuzz/$1.seeds"
    [ ! -f "tests/fuzz/$1.dict" ] || options+=(-dict="tests/fuzz/$1.dict")
    # The time that one input may take is far above what a busy machine needs, so that only one that hangs fails.
    "$programs/$1" "${options[@]}" -max_len="${LENGTH:-1000}" -timeout=600 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$out/$1." \
        "$corpus" >"$programs/$1.txt" 2>&1
}

export CCACHE_SLOPPINESS=time_macros
ccache clang++ -std=c++20 "${checks[@]}" -c tests/json_src.cpp -o "$programs/json.lib.o"
for target in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    build "$target" &
done
for pid in $(jobs -p); do wait "$pid"; done

total() { # TARGET COUNT: adds to what there was
    local file=$out/total.tsv
    touch "$file"
    awk -F'\t' -v OFS='\t' -v target="$1" -v count="$2" '
        $1 == target { $2 += count; found = 1 }
        { print }
        END { if (!found) print target, count }' "$file" | sort >"$file.new"
    mv "$file.new" "$file"
}
declare -A running=()
failed=0 passed=0
finish() { # TARGET PID
    local count log=$programs/$1.txt
    if ! wait "$2"; then
        failed=$((failed + 1))
        printf '%-12s FAILED: ' "$1"
        grep -m 1 -aE '^broken:|ERROR|runtime error|Assertion' "$log" || true
        grep -aE 'Test unit written|Base64' "$log" || true
        return
    fi
    passed=$((passed + 1))
    count=$(sed -nE 's/^stat::number_of_executed_units: //p' "$log")
    total "$1" "$count"
    printf '%-12s %11d inputs, %6d a second\n' "$1" "$count" "$(sed -nE 's/^stat::average_exec_per_sec: *//p' "$log")"
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
printf '\nin all\n'
awk -F'\t' '{ printf "%-12s %13d inputs\n", $1, $2; sum += $2 } END { printf "%-12s %13d inputs\n", "", sum }' "$out/total.tsv"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
