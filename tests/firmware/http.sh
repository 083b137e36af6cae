#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/firmware/http.sh [SECONDS [REQUESTS [BAD]]]
#
# Builds the board that serves (examples/firmware/http) and lets it run in QEMU, whose processor takes 32 ns an instruction, so that what the board
# measures is counted in instructions and is the same on a busy machine. Then it is asked by
#
#   - the black-box suite, which asks all our servers;
#   - a real Prometheus, for so many SECONDS (10), beside
#   - clients with so many REQUESTS (2,000), and then so many BAD ones (200): silent, slow, half, malformed, too large, unread, reset, with bodies;
#
# its memory is at rest after that, no turn of its loop took 5 ms, its watchdog was fed all along, and resets it when a required source dies.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
source examples/firmware/http/build.sh
seconds=${1:-10} requests=${2:-2000} bad=${3:-200}
secret=open-sesame-of-the-board
output=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$output"' EXIT
passed=0 failed=0
result() { # TITLE STATUS [OUTPUT]
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "passed: $1${3:+ ($3)}"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n%s\n' "$1" "${3:-}"
    fi
}
add() { # FILE : the counts of another program
    local counts
    grep -v ' passed, ' "$1"
    counts=$(grep -oE '[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
    if [ -z "$counts" ]; then counts="0 passed, 1 failed"; fi
    passed=$((passed + ${counts%% passed*})) counts=${counts#*, }
    failed=$((failed + ${counts%% failed*}))
}
free_port() {
    local port
    for port in $(shuf -i 20000-30000 -n 50); do
        if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then echo "$port"; return; fi
    done
}

fetch_lwip >"$output/lwip.txt" 2>&1 || { cat "$output/lwip.txt"; exit 1; }
build_board "$secret" || exit 1
bad_symbols=$("$arm-nm" "$wire/healthz.elf" | awk '{ print $NF }' |
    grep -E '(^|_)(malloc|free|calloc|realloc|sbrk)(_r)?$|^_Zn[wa]|^_Zd[la]|^__cxa_|_Unwind_|personality|printf|^_ZTI|^_ZTS|^abort$' | grep -vE '^(mem|pbuf|memp|tcp)_')
result "the image has no heap of the C library, no exceptions, no printf" "$([ -z "$bad_symbols" ]; echo $?)" "$bad_symbols"
strings "$wire/healthz.elf" | grep -qF "$secret"
result "the image does not have the secret" $((1 - $?))

port=$(free_port)
(run_board "$port" -icount shift=5,align=on -serial "unix:$output/serial,server=on,wait=off") >"$output/board.txt" 2>&1 &
qemu=$!
url=http://127.0.0.1:$port
for _ in $(seq 600); do
    if curl -sf -m 5 "$url/healthz" >/dev/null; then break; fi
    sleep 0.1
done

SOURCES="supply,imu,flash,sd card" python3 tests/blackbox/suite.py board "$url" "$secret" >"$output/suite.txt"
add "$output/suite.txt"

# --- Prometheus, beside the other clients

printf %s "$secret" >"$output/secret"
cat >"$output/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: board
    authorization: {credentials_file: $output/secret}
    static_configs: [{targets: ["127.0.0.1:$port"]}]
END
prometheus_port=$(free_port)
prometheus --config.file="$output/prometheus.yml" --storage.tsdb.path="$output/prometheus" --web.listen-address="127.0.0.1:$prometheus_port" \
    --log.level=warn >"$output/prometheus.txt" 2>&1 &
query() { # EXPRESSION : the values, one a line
    curl -sf -m 10 --data-urlencode "query=$1" "http://127.0.0.1:$prometheus_port/api/v1/query" | jq -r '.data.result[].value[1]'
}
until_is() { # EXPRESSION VALUE : within a minute, since a board on a busy machine is slow
    local found
    for _ in $(seq $((2 * seconds + 120))); do
        found=$(query "$1" | tr '\n' ' ')
        if [ "$found" = "$2 " ]; then return 0; fi
        sleep 0.5
    done
    echo "$1 is $found"
    return 1
}
said=$(until_is "max(count_over_time(up[1h])) >= bool $seconds" 1)
result "Prometheus has scraped for $seconds seconds" $? "$said"
said=$(until_is 'healthz_source_up{source_name="sd card"} + on() sum(healthz_source_up)' 3)
result "it knows which sources are OK" $? "$said"
said=$(until_is 'changes(healthz_last_check_timestamp_seconds{source_name="imu"}[1h]) > bool 3' 1)
result "and how often they were checked" $? "$said"
said=$(query 'min_over_time(up[1h])')
result "no scrape has failed" "$([ "$said" = 1 ]; echo $?)" "$said"
kill %2 2>/dev/null

# --- everyone else

python3 tests/firmware/http.py "$port" "$secret" "$output/serial" "$requests" "$bad" >"$output/http.txt" 2>&1
add "$output/http.txt"

# A board that is reset ends QEMU with success; what ends it otherwise has another status.
for _ in $(seq 1200); do
    kill -0 $qemu 2>/dev/null || break
    sleep 0.1
done
wait $qemu
result "the watchdog resets the board whose required source is dead" $? "QEMU ended with $?"
cat "$output/board.txt"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
