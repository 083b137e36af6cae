#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Writing the document: nanoseconds, and for 256 sources bytes and allocations.
source "$(dirname "$0")/../common.sh"
filter=. seconds=0.05
if [ "$quick" = 1 ]; then filter='/256 OK' seconds=0.02; fi
for round in $(seq "$rounds"); do
    # name, iterations, real time, CPU time, unit, five empty fields, counters in alphabetic order
    taskset -c "$first_core" "$bin/bench_write" --benchmark_format=csv --benchmark_filter="$filter" --benchmark_min_time="$seconds" 2>/dev/null |
        tr -d '"' | awk -F, 'NR == 1 || /^name/ || NF < 11 { next } { print }' >"$out/write.csv"
    while IFS=, read -r name _ _ cpu _ _ _ _ _ _ allocations bytes; do
        figure write "${name%%/*}" "${name#*/}, ns" "$round" "$cpu"
        if [ "${name#*/}" = "256 OK" ]; then
            figure write "${name%%/*}" "256 OK, bytes" "$round" "$bytes"
            figure write "${name%%/*}" "256 OK, allocations" "$round" "$allocations"
        fi
    done <"$out/write.csv"
done
