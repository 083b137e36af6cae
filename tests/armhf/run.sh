#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/armhf/run.sh FOLDER
#
# Runs the tests of the core, the runner and the server, and the demo, all of them built in FOLDER for 32-bit ARM Linux, in QEMU's emulation
# of a process. These are left out, each for what the emulation or its speed is:
left_out=(
    # Here a child of a process that has threads cannot start any (QEMU 7.2 ends with an assertion).
    "background: a process that has one may fork, for a program or for one of the child's own"
    "a child process has workers of its own"
    "watchdog device: whatever ends the program but stop() leaves it armed"
    "watchdog device: a program that stops it leaves it disarmed, and its children stop nothing"
    # QEMU does not know the calls of a watchdog, and has another error for them.
    "watchdog device: the system's own calls, on what is no device"
    # A minute and more each, of what no size of a word changes.
    "a runner reads the environment where it is made, and checks go by what is read later"
    "tls: an offered secret is gone when its request has been answered"
    "text: all inputs of two bytes become JSON, whatever the room"
    "text: random bytes become JSON, whatever the room"
)
set -euo pipefail
folder=$(realpath "$1")
cd "$(dirname "$(realpath "$0")")/../.."
export QEMU_LD_PREFIX=$PWD/build/armhf/sysroot
emulated() { qemu-arm "$folder/$1" "${@:2}"; }
passed=0 output=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$output"' EXIT
fail() { echo "armhf: $*" >&2; exit 1; }
check() { # WHAT TEXT PATTERN
    [[ $2 == $3 ]] || fail "$1: expected $3, got: $2"
    passed=$((passed + 1))
}

# --- what is built without a flag that it needs is refused

small() { # [FLAG...] : compiles what reads a setting
    arm-linux-gnueabihf-g++ --sysroot="$QEMU_LD_PREFIX" -std=c++20 -fsyntax-only -Iinclude "$@" -x c++ - <<<'#include <healthz/hosted/setting.hpp>' 2>&1
}
check 'without the flag' "$(small || true)" '*healthz: on a system of 32 bits this needs -D_FILE_OFFSET_BITS=64*'
check 'with the flag' "$(small -D_FILE_OFFSET_BITS=64)" ''

# --- the tests, side by side: they mostly wait

HEALTHZ_TEST_EMULATOR=$(command -v qemu-arm) # for tests that run their own program again
export HEALTHZ_TEST_EMULATOR
filter="~[.]$(printf '~"%s"' "${left_out[@]//,/\\,}")"
for layer in core asio beast; do
    emulated "tests/test_$layer" --list-test-names-only >>"$output/names" || true # it returns how many there are
    emulated "tests/test_$layer" "$filter" >"$output/$layer" 2>&1 &
    declare "$layer=$!"
done
emulated tests/test_headers >"$output/headers" 2>&1 &
headers=$!
for name in "${left_out[@]}"; do grep -qxF -e "$name" "$output/names" || fail "there is no test '$name' to leave out"; done
for layer in core asio beast headers; do
    wait "${!layer}" || { cat "$output/$layer"; fail "the tests '$layer' failed"; }
    sed "s/^/$layer: /" "$output/$layer"
done
passed=$((passed + 1)) # the headers, which count nothing

# --- the demo

for port in $(shuf -i 20000-30000 -n 50); do # one that nobody listens on now
    if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then break; fi
done
export PORT=$port INVENTORY_DB=$output/inventory.db HEALTHZ_ADMIN_SECRET=open-sesame
unset ORDERS_URL GATEWAY_ADDRESS
sqlite3 "$INVENTORY_DB" 'CREATE TABLE item (name TEXT)'
ask() { curl -s --max-time 20 "${@:2}" "http://127.0.0.1:$port$1"; } # TARGET [OPTION...]
secret=(-H 'X-Hasura-Role: admin' -H 'X-Hasura-Admin-Secret: open-sesame')
qemu-arm "$folder/examples/demo" >"$output/demo" 2>&1 & # not by a function, which would be a shell between
demo=$!
document=''
for _ in $(seq 600); do
    document=$(ask /healthz/sources "${secret[@]}") || document=''
    if [[ $document == *inventory*orders*gateway*sensor* ]]; then break; fi
    kill -0 "$demo" 2>/dev/null || fail "the demo ended: $(<"$output/demo")"
    sleep 0.1
done
check inventory "$document" '{"inventory":{"error":null,"status":"OK","timestamp":"20??-??-??T??:??:??.?????????Z"}*'
check orders "$document" "*\"orders\":{\"error\":\"environment variable 'ORDERS_URL' not set\",\"status\":\"FAILED\"*"
check gateway "$document" '*"gateway":{"error":{"message":"connection error","extra":"127.0.0.1:9: Connection refused"},"status":"ERROR"*'
code=(-o /dev/null -w '%{http_code}')
check strict "$(ask '/healthz/sources?strict=true' "${secret[@]}" "${code[@]}")" 503
check 'no secret' "$(ask /healthz/sources "${code[@]}")" 401
check 'a probe' "$(ask /livez)" ok
check 'the metrics' "$(ask /metrics "${secret[@]}")" '*healthz_source_status{source_name="gateway"*'
check 'the page' "$(ask /healthz/page "${secret[@]}")" '*not OK*STATUS*gateway*connection error*inventory*'
check 'an artefact' "$(emulated examples/demo --print kubernetes)" "*path: /livez, port: $port*"
emulated examples/demo --healthcheck || fail 'it does not find itself alive'
kill -TERM "$demo"
wait "$demo" || fail "the demo's exit status is $?"
passed=$((passed + 1))
echo "$passed passed, 0 failed"
