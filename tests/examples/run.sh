#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/examples/run.sh FOLDER
#
# Runs the example programs, which are built in FOLDER, and the demo server as its user starts it.
set -euo pipefail
folder=$(realpath "$1")
cd "$(dirname "$(realpath "$0")")/../.."
passed=0 output=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$output"' EXIT
fail() { echo "examples: $*" >&2; exit 1; }
check() { # WHAT TEXT PATTERN
    [[ $2 == $3 ]] || fail "$1: expected $3, got: $2"
    passed=$((passed + 1))
}
# A port that nobody listens on now.
free_port() {
    local port
    for port in $(shuf -i 20000-30000 -n 50); do
        if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then echo "$port"; return; fi
    done
}
ask() { curl -s --max-time 5 -H 'X-Hasura-Role: admin' -H "X-Hasura-Admin-Secret: $1" "http://127.0.0.1:$2/healthz/sources${3:-}"; }
# Asks until the answer matches, for thirty seconds at most; prints the last answer.
wait_for() { # SECRET PORT PATTERN
    local answer=''
    for _ in $(seq 300); do
        answer=$(ask "$1" "$2") || answer=''
        if [[ $answer == $3 ]]; then break; fi
        sleep 0.1
    done
    echo "$answer"
}

check custom_probers "$("$folder/custom_probers")" '*"oven":{"error":null,"status":"OK"*"mars":{"error":null,"status":"TIMEOUT"*"counter":{"error":{"message":"checked too often"},"status":"ERROR"*'
check mount_in_any_server "$(HEALTHZ_ADMIN_SECRET=open-sesame "$folder/mount_in_any_server")" \
    'GET: 200, 143 bytes*{"queue":{"error":{"message":"queue stalled"*HEAD: 200, 143 bytes*GET: 401, 111 bytes*WWW-Authenticate:*required, but not found*'
check firmware "$("$folder/firmware")" '{"max_starts_per_tick":1,*{"watchdog":*}}'

# The demo: its secret is random and printed, or given.
port=$(free_port)
env -u HEALTHZ_ADMIN_SECRET -u ORDERS_URL -u GATEWAY_ADDRESS PORT="$port" examples/run.sh >"$output/demo" 2>&1 &
demo=$!
for _ in $(seq 1200); do
    if grep -q '^listening' "$output/demo"; then break; fi
    kill -0 "$demo" 2>/dev/null || fail "the demo ended: $(<"$output/demo")"
    sleep 0.1
done
secret=$(sed -nE 's/.*X-Hasura-Admin-Secret: ([0-9a-f]{32})".*/\1/p' "$output/demo")
check 'the printed secret' "${#secret}" 32
answer=$(wait_for "$secret" "$port" '*inventory*orders*gateway*sensor*')
check inventory "$answer" '{"inventory":{"error":null,"status":"OK","timestamp":"20??-??-??T??:??:??.?????????Z"}*'
check orders "$answer" "*\"orders\":{\"error\":\"environment variable 'ORDERS_URL' not set\",\"status\":\"FAILED\"*"
check gateway "$answer" '*"gateway":{"error":{"message":"connection error","extra":"127.0.0.1:9: Connection refused"},"status":"ERROR"*'
check sensor "$answer" '*"sensor":{"error":*"status":"*'
check 'wrong secret' "$(ask wrong "$port")" '*"invalid x-hasura-admin-secret/x-hasura-access-key"*'
check 'the log' "$(grep -c '^{"level":"warn",.*"source_name":"gateway","status":"ERROR",.*"error":{"message":"connection error",' "$output/demo")" 1 # each change once
page=$(curl -s --max-time 5 -u "any:$secret" "http://127.0.0.1:$port/healthz/page")
check 'the page' "$page" '*not OK*STATUS*gateway*connection error*inventory*'
check 'an artefact' "$(PORT=$port "$folder/demo" --print kubernetes)" "*path: /livez, port: $port*"
PORT=$port "$folder/demo" --healthcheck || fail 'it does not find itself alive'
check 'a probe' "$(curl -s --max-time 5 "http://127.0.0.1:$port/livez")" ok
check 'a refusal in the log' "$(grep -c '^127.0.0.1 was refused 1 times: 401$' "$output/demo")" 1
kill -TERM "$demo"
wait "$demo" || fail "the demo's exit status is $?"

port=$(free_port)
HEALTHZ_ADMIN_SECRET=given METRICS_SECRET=scrape PORT=$port "$folder/views" >"$output/views" 2>&1 &
server=$!
check 'views of its own' "$(wait_for given "$port" '*"mailer":*')" '{"queue":{"error":null,"status":"OK"*'
check 'its own view' "$(curl -s "http://127.0.0.1:$port/ok")" 1
check 'its own policy' "$(curl -s -H 'Authorization: Bearer scrape' "http://127.0.0.1:$port/metrics")" '*healthz_build_info*'
kill -TERM "$server"
for _ in $(seq 50); do
    if [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/readyz")" = 503 ]; then break; fi
    sleep 0.1
done
check 'alive in the drain' "$(curl -s "http://127.0.0.1:$port/livez")" ok
kill -TERM "$server"
wait "$server" || fail "the exit status of views is $?"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$output/key.pem" -out "$output/cert.pem" -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost" 2>/dev/null
(cd "$output" && HEALTHZ_ADMIN_SECRET=given TLS_CERTIFICATE=cert.pem TLS_KEY=key.pem exec "$folder/tls") &
server=$!
for _ in $(seq 100); do
    if [ "$(curl -s --unix-socket "$output/probes.sock" http://localhost/readyz)" = ok ]; then break; fi
    sleep 0.1
done
check 'over TLS' "$(curl -s --cacert "$output/cert.pem" -u any:given https://localhost:8443/healthz/sources)" '{"queue":{"error":null,"status":"OK"*'
check 'no names on the socket' "$(curl -s -u any:given -o /dev/null -w '%{http_code}' --unix-socket "$output/probes.sock" http://localhost/healthz/sources)" 404
kill -TERM "$server"
wait "$server" || fail "the exit status of tls is $?"

(cd "$output" && USE_CACHE=false exec "$folder/when_it_runs") &
server=$!
check 'what is bound, and nothing that is off' "$(wait_for none 8080 '*"queue":*"OK"*')" '{"queue":{"error":null,"status":"OK","timestamp":"?*"}}'
check 'what is off' "$(curl -s http://127.0.0.1:8080/metrics | grep '^healthz_source_off')" 'healthz_source_off{source_name="cache"} 1'
kill -TERM "$server"
wait "$server" || fail "the exit status of when_it_runs is $?"

for number in 2 3 4 5 7 8 9 10; do sqlite3 "$output/shard_$number.db" 'CREATE TABLE item (name TEXT)'; done
(cd "$output" && SHARD_2=shard_2.db exec "$folder/families") &
server=$!
check 'members of a family' "$(wait_for none 8082 '*"shard 10":*"OK"*"worker 2":*')" '{"shard 2":{"error":null,"status":"OK",*'
for _ in $(seq 100); do
    if [ "$(curl -s http://127.0.0.1:8082/readyz)" = ok ]; then break; fi
    sleep 0.1
done
check 'eight of a family' "$(curl -s http://127.0.0.1:8082/readyz)" ok
kill -TERM "$server"
wait "$server" || fail "the exit status of families is $?"

HEALTHZ_ADMIN_SECRET=given "$folder/mount_in_beast_server" &
server=$!
check 'mounted endpoint' "$(wait_for given 8081 '*"self":*"OK"*')" '{"self":{"error":null,"status":"OK"*'
check 'the other server' "$(curl -s http://127.0.0.1:8081/)" 'Hello*'
kill -TERM "$server"
wait "$server" || fail "the exit status of mount_in_beast_server is $?"
echo "$passed passed, 0 failed"
