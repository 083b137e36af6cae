#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# An honest client, with a new connection each 250 ms, beside attacks with 1,500 connections: what it waits for its answers.
# Usage: benchmarks/serve/attacks.sh [SERVER [SECONDS]], once `benchmarks/run.sh serve` has built; SERVER is another serve_ours.
source "$(dirname "$0")/../common.sh"
server=${1:-$bin/serve_ours} seconds=${2:-10}
dir=$out/attacks port=18280
mkdir -p "$dir"
ulimit -n "$(ulimit -Hn)"

# attack DESCRIPTORS NAME COMMAND... : the server may have so many descriptors, 0 for all; the port follows the command
attack() {
    local descriptors=$1 name=$2 sent answered p50 p99 max server_pid attack_pid=0
    shift 2
    port=$((port + 1))
    (
        if [ "$descriptors" != 0 ]; then ulimit -n "$descriptors"; fi
        exec "$server" "$port" attacked
    ) >"$dir/server.txt" 2>&1 &
    server_pid=$!
    started+=("$server_pid")
    await_port "$port"
    if [ $# -gt 0 ]; then
        "${@//PORT/$port}" >"$dir/attack.txt" 2>&1 &
        attack_pid=$!
        started+=("$attack_pid")
        sleep 2
        if grep -q '^Error' "$dir/attack.txt"; then cat "$dir/attack.txt" >&2; exit 1; fi
    fi
    read -r _ sent answered p50 p99 max < <("$bin/serve_visitor" "$port" "$seconds")
    printf '%-34s %4d of %4d answered, p50 %8d us, p99 %8d us, longest %8d us\n' "$name" "$answered" "$sent" "$p50" "$p99" "$max"
    figure attacks "$name" "p50, us" 1 "$p50"
    figure attacks "$name" "p99, us" 1 "$p99"
    figure attacks "$name" "unanswered" 1 $((sent - answered))
    kill "$server_pid" 2>/dev/null || true
    if [ "$attack_pid" != 0 ]; then kill "$attack_pid" 2>/dev/null || true; fi
    wait "$server_pid" 2>/dev/null || true
}

url=http://127.0.0.1:PORT/healthz/sources
long=$((seconds + 4))
slow=(slowhttptest -c 1500 -r 1000 -i 1 -l "$long" -u "$url")
attack 0 "no attack"
for descriptors in 0 64; do
    with=""
    if [ "$descriptors" != 0 ]; then with=", $descriptors descriptors"; fi
    attack "$descriptors" "idle$with" "$bin/serve_visitor" PORT "$long" 1500
    attack "$descriptors" "slow header (-H)$with" "${slow[@]}" -H
    attack "$descriptors" "slow body (-B)$with" "${slow[@]}" -B
    attack "$descriptors" "slow read (-X)$with" "${slow[@]}" -X -k 10 -w 1 -y 512 -z 1
    attack "$descriptors" "ranges (-R)$with" "${slow[@]}" -R
done
