# SPDX-License-Identifier: BSL-1.0
# Servers on one core, and wrk on another, which loads them.
ulimit -n "$(ulimit -Hn)"
next_port=18080
declare -A pid port
# serve NAME COMMAND... : starts a server on the next port, which stands for PORT in the command
serve() {
    local name=$1
    shift
    port[$name]=$((next_port++))
    taskset -c "$first_core" "${@//PORT/${port[$name]}}" >"$dir/$name.txt" 2>&1 &
    pid[$name]=$!
    started+=("$!")
    await_port "${port[$name]}"
}

# load NAME CONNECTIONS DEPTH [HEADER...] : asks for $path by $scheme for $seconds; sets cpu, rate, p50, p99, p999
scheme=http path=/healthz/sources
load() {
    local name=$1 connections=$2 depth=$3 before after requests microseconds errors
    before=$(cpu_ns "${pid[$name]}")
    read -r _ requests microseconds p50 p99 p999 errors < <(
        DEPTH=$depth timeout 60 taskset -c "$last_core" wrk -t1 -c"$connections" -d"${seconds}s" \
            -s benchmarks/serve/load.lua "${@:4}" "$scheme://127.0.0.1:${port[$name]}$path" | grep '^figures')
    after=$(cpu_ns "${pid[$name]}")
    if [ "$errors" -ne 0 ] || [ "$requests" -eq 0 ]; then echo "$name: $requests requests, $errors errors" >&2; exit 1; fi
    cpu=$(divide $((after - before)) $((requests * 1000)))
    rate=$(divide $((requests * 1000000)) "$microseconds" 0)
}
