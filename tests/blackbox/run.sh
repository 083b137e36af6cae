#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/blackbox/run.sh FOLDER [NAME...]
#
# Starts `serve` and the mounts, whose programs are built in FOLDER (that of the examples), all at once or those named, and has suite.py ask each.
set -euo pipefail
folder=$(realpath "$1")
shift
cd "$(dirname "$(realpath "$0")")"
if [ $# -eq 0 ]; then set -- serve beast civetweb httplib microhttpd pistache poco qt restinio; fi
output=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$output"' EXIT
# A port that nobody listens on now.
free_port() {
    local port
    for port in $(shuf -i 20000-30000 -n 50); do
        if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then echo "$port"; return; fi
    done
}
sqlite3 "$output/inventory.db" 'CREATE TABLE item (name TEXT)'
export INVENTORY_DB=$output/inventory.db HEALTHZ_ADMIN_SECRET=open-sesame-of-the-suite GATEWAY_ADDRESS=127.0.0.1:9
unset ORDERS_URL
declare -A suites
for name in "$@"; do
    port=$(free_port)
    program=$folder/mounts/mount_$name
    if [ "$name" = serve ]; then program=$folder/demo; fi
    PORT=$port "$program" >"$output/$name.log" 2>&1 &
    servers+=($!)
    python3 suite.py "$name" "http://127.0.0.1:$port" "$HEALTHZ_ADMIN_SECRET" >"$output/$name.txt" 2>&1 &
    suites[$name]=$!
done
failed=0
for name in "$@"; do
    wait "${suites[$name]}" || { failed=1; tail -n 5 "$output/$name.log"; }
    sed "s/^\([0-9]* passed\)/$name: \1/" "$output/$name.txt"
done
for each in "${servers[@]}"; do # each ends when it is told to
    kill -TERM "$each" 2>/dev/null || { echo "blackbox: FAILED: a server had ended"; failed=1; }
    wait "$each" || { echo "blackbox: FAILED: a server ended with $?"; failed=1; }
done
servers=()
passed=$(cat "$output"/*.txt | awk '/ passed, / { sum += $1 } END { print sum }')
[ "$failed" = 0 ] || { echo "blackbox: $passed passed, some failed"; exit 1; }
echo "$passed passed, 0 failed"
