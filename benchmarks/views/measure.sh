#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The views of 300 sources: what it takes to write them, beside prometheus-cpp's serializer with the same series; and to serve them, beside the
# metrics that HAProxy shows of itself with 300 servers.
source "$(dirname "$0")/../common.sh"
source benchmarks/serve/load.sh
dir=$out/views
mkdir -p "$dir"
seconds=2 time=0.1
if [ "$quick" = 1 ]; then time=0.02; fi
for round in $(seq "$rounds"); do
    # name, iterations, real time, CPU time, unit, five empty fields, counters in alphabetic order; a name may have commas
    taskset -c "$first_core" "$bin/bench_views" --benchmark_format=csv --benchmark_min_time="$time" 2>/dev/null >"$dir/views.csv"
    while read -r nanoseconds allocations bytes name; do
        figure views "$name" "300 sources, us" "$round" "$(divide "$nanoseconds" 1000)"
        figure views "$name" "a source, us" "$round" "$(divide "$nanoseconds" 300000)"
        figure views "$name" "bytes" "$round" "$bytes"
        figure views "$name" "allocations" "$round" "$allocations"
    done < <(sed -nE 's/^"([^"]*)",[^,]*,[^,]*,([^,]*),ns,,,,,,([^,]*),([^,]*)$/\2 \3 \4 \1/p' "$dir/views.csv")
done
[ "$quick" = 0 ] || exit 0

serve healthz "$bin/serve_ours" PORT views
{
    printf '%s\n' "global" "  nbthread 1" "defaults" "  mode http" "  timeout connect 5s" "  timeout client 60s" "  timeout server 5s" "frontend all" \
        "  bind 127.0.0.1:$next_port" "  http-request use-service prometheus-exporter if { path /metrics }" "backend servers"
    for i in $(seq 300); do echo "  server s$i 127.0.0.1:1"; done
} >"$dir/haproxy.cfg"
serve HAProxy haproxy -f "$dir/haproxy.cfg"
sleep 0.5 # the first checks
for round in $(seq "$rounds"); do
    for of in "healthz /metrics" "healthz /healthz/page" "healthz /livez" "healthz /healthz/sources" "HAProxy /metrics"; do
        name=${of% *} path=${of#* } bytes=$(curl -s "http://127.0.0.1:${port[${of% *}]}${of#* }" | wc -c)
        load "$name" 4 1
        figure "views served" "$of" "CPU, us/request" "$round" "$cpu"
        figure "views served" "$of" "CPU, us/KiB" "$round" "$(awk "BEGIN { print $cpu * 1024 / $bytes }")"
        figure "views served" "$of" "p99, us" "$round" "$p99"
        figure "views served" "$of" "bytes" "$round" "$bytes"
    done
done
