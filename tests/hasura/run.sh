#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/hasura/run.sh
#
# The sidecar serves metadata.json, 40 sources of all kinds, with a real PostgreSQL and an agent behind some of them: the document has
# their names, in order. What is wrong with a file is told in one line before anything is compiled, and the build step keeps its lines.
set -euo pipefail
# In a network of its own where that can be had, since the ports in metadata are fixed ones.
if [ -z "${HASURA_NETWORK:-}" ] && unshare -n true 2>/dev/null && command -v ip >/dev/null; then
    HASURA_NETWORK=own exec unshare -n "$0"
fi
if [ -n "${HASURA_NETWORK:-}" ]; then ip link set lo up; fi
cd "$(dirname "$(realpath "$0")")/../.."
export BUILD=$PWD/build/hasura CCACHE_SLOPPINESS=pch_defines,time_macros
run=examples/hasura/run.sh metadata=tests/hasura/metadata.json
output=$(mktemp -d) passed=0
chmod 755 "$output"
postgres_bin=$(find /usr/lib/postgresql -name bin -type d | sort -V | tail -1)
as_postgres() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
end() {
    kill $(jobs -p) 2>/dev/null || true
    [ ! -f "$output/data/postmaster.pid" ] || as_postgres "$postgres_bin/pg_ctl" -D "$output/data" -m immediate -s stop || true
    rm -rf "$output" /tmp/healthz_hasura_{url,password}
}
trap end EXIT
fail() { echo "hasura: $*" >&2; exit 1; }
same() { # WHAT TEXT EXPECTED
    [ "$2" = "$3" ] || fail "$1: expected"$'\n'"$3"$'\n'"got"$'\n'"$2"
    passed=$((passed + 1))
}

# --- what is refused

ONLY_BUILD=1 $run /dev/null >/dev/null 2>"$output/first.txt" && fail "an empty file is served"
inspect=$BUILD/inspect
[ -x "$inspect" ] || fail "there is no inspector: $(<"$output/first.txt")"
refused() { # PATTERN: so is bad.json
    local said status=0
    said=$("$inspect" "$output/bad.json" 2>&1) || status=$?
    [ $status = 1 ] || fail "not refused ($status): $(head -c 200 "$output/bad.json")"
    [ "$(wc -l <<<"$said")" = 1 ] || fail "more than one line: $said"
    [[ $said == "$output/bad.json:"$1 ]] || fail "expected $1, got: $said"
    passed=$((passed + 1))
}
# With a member of the first source in the place of another.
changed() { jq "$1" $metadata >"$output/bad.json"; refused "$2"; }
text() { printf -- "$1" >"$output/bad.json"; refused "$2"; }
while IFS='|' read -r bytes pattern; do text "$bytes" "$pattern"; done <<'END'
|1:1: this metadata is empty
 \n\t|1:1: this metadata is empty
null|1:1: this is JSON, but no metadata:*
12|1:1: this is JSON, but no metadata:*
-1.5e3|1:1: this is JSON, but no metadata:*
"text"|1:1: this is JSON, but no metadata:*
true|1:1: this is JSON, but no metadata:*
{}|1:1: this is JSON, but no metadata:*
{"metadata":{}}|1:1: this is JSON, but no metadata:*
{"metadata":[]}|1:1: this is JSON, but no metadata:*
{"metadata":{"metadata":{"sources":[]}}}|1:1: this is JSON, but no metadata:*
{"version":2,"tables":[]}|1:12: this metadata is not of version 3*
{"version":"3","sources":[]}|1:12: this metadata is not of version 3*
{"version":3.5,"sources":[]}|1:12: this metadata is not of version 3*
[]|1:1: no source of this metadata has a health_check*: CHECK_ALL=30
{"sources":[]}|1:1: no source of this metadata has a health_check*
{"sources":{}}|1:12: the sources of this metadata are no array
{"sources":null}|1:12: the sources of this metadata are no array
[1]|1:2: this source is no object
["a"]|1:2: this source is no object
[null]|1:2: this source is no object
[[]]|1:2: this source is no object
[{}]|1:2: this source has no name
\xef\xbb\xbf[]|1:1: this metadata begins with a byte order mark*
\xff\xfe[\0]\0|1:1: this metadata is UTF-16*
\xfe\xff\0[\0]|1:1: this metadata is UTF-16*
[\0]\0|1:1: this metadata is UTF-16*
\0[\0]|1:1: this metadata is UTF-16*
\0\0\0[|1:1: this metadata is UTF-16*
version: 3|1:1: this metadata is no JSON here*
- name: default|1:2: this metadata is no JSON here*
hello|1:1: this metadata is no JSON here*
<?xml?>|1:1: this metadata is no JSON here*
// a\n[]|1:1: this metadata is no JSON here*
\001[]|1:1: this metadata is no JSON here*
NaN|1:1: this metadata is no JSON here*
[|1:2: this metadata is no JSON: it ends*
{|1:2: this metadata is no JSON: it ends*
[{|1:3: this metadata is no JSON: it ends*
[{"name|1:8: this metadata is no JSON: it ends*
{"a"|1:5: this metadata is no JSON: it ends*
{"a":|1:6: this metadata is no JSON: it ends*
{"a":1|1:7: this metadata is no JSON: it ends*
{"a":1,|1:8: this metadata is no JSON: it ends*
{"a":"\\u00|1:* this metadata is no JSON*
[]]|1:3: this metadata is no JSON: something stands after its end
[] []|1:4: this metadata is no JSON: something stands after its end
{"sources":[]}x|1:15: this metadata is no JSON: something stands after its end
]|1:1: this metadata is no JSON here*
{'a':1}|1:2: this metadata is no JSON here: a key*
{a:1}|1:2: this metadata is no JSON here: a key*
{1:1}|1:2: this metadata is no JSON here: a key*
{"a":1,}|1:8: this metadata is no JSON here: a key*
{,}|1:2: this metadata is no JSON here: a key*
{"a" 1}|1:6: this metadata is no JSON here: a colon*
{"a":1 "b":2}|1:8: this metadata is no JSON here: a comma*
{"a":[1 2]}|1:9: this metadata is no JSON here: a comma*
{"a":[1}}|1:8: this metadata is no JSON here: a comma*
{"a":01}|1:6: this metadata is no JSON here*
{"a":1.}|1:8: this metadata is no JSON here*
{"a":.5}|1:6: this metadata is no JSON here*
{"a":-}|1:7: this metadata is no JSON here*
{"a":+1}|1:6: this metadata is no JSON here*
{"a":1e}|1:8: this metadata is no JSON here*
{"a":tru}|1:6: this metadata is no JSON here*
{"a":undefined}|1:6: this metadata is no JSON here*
{"a":"b\nc"}|1:8: * a control character in a text must be escaped
{"a":"b\tc"}|1:8: * a control character in a text must be escaped
{"a":"\\x"}|1:7: * there is no such escape
{"a":"\\u12g4"}|1:7: * there is no such escape
{"a":"\\ud800"}|1:7: this metadata has half of a surrogate pair*
{"a":"\\udc00"}|1:7: this metadata has half of a surrogate pair*
{"a":"\\ud800\\u0041"}|1:7: this metadata has half of a surrogate pair*
{"a":"\xff"}|1:7: this metadata is not UTF-8 here*
{"a":"\xc0\x80"}|1:7: this metadata is not UTF-8 here*
{"a":"\xed\xa0\x80"}|1:7: this metadata is not UTF-8 here*
\n\n {"a":"\xe9"}|3:8: this metadata is not UTF-8 here*
{"sources":[],"sources":[]}|1:15: this key stands twice*
[{"name":"a","name":"b"}]|1:14: source "a": this key stands twice*
[{"name":"a"},{"name":"\\u0061"}]|1:23: *: two sources have this name*
[{"name":5}]|1:10: the name of this source is no text
[{"name":null}]|1:10: the name of this source is no text
[{"name":""}]|1:10: the name of this source is empty
END
text "$(printf '[%.0s' $(seq 100))" '1:2: this source is no object'
text "{\"a\":$(printf '[%.0s' $(seq 100))" '1:*: this metadata is nested more than 64 deep here'
text "[{\"name\":\"$(printf 'x%.0s' $(seq 8192))\"}]" '1:10: *the name of this source is longer than 8191 bytes'
head -c 8388609 /dev/zero | tr '\0' ' ' >"$output/bad.json"
refused ' this metadata has 8388609 bytes, and more than 8388608 are too many'
while IFS='|' read -r filter pattern; do changed ".metadata.sources[0]$filter" "$pattern"; done <<'END'
.kind = 5|*: source "default": the kind of this source is no text
.kind = "oracle"|*: source "default": the kind of this source is not known*
.configuration = null|*: source "default": the configuration of this source is no object
.configuration = {}|*: source "default": the configuration of this source has no connection_info
.configuration.connection_info = []|*: source "default": the connection_info of this source is no object
.configuration.connection_info.database_url = 5|*: source "default": the connection of this source must be a text*
.configuration.connection_info.database_url = ""|*: source "default": this text of the source is empty
.configuration.connection_info.database_url = "a\u0000b"|*: source "default": this text of the source has a zero byte in it
.configuration.connection_info.database_url.from_env = ""|*: source "default": from_env must be the name*
.configuration.connection_info.database_url.from_env = null|*: source "default": from_env must be the name*
.configuration.connection_info.connection_string = "b"|*: source "default": * more than one connection*
.configuration.connection_info = {"connection_parameters": {"host": "a"}}|*: source "default": the connection_parameters of this source need*
.health_check = 5|*: source "default": the health_check of this source is no object
.health_check = {}|*: source "default": the health_check of this source has no interval*
.health_check.interval = 0|*: source "default": the interval of this source is not above zero*
.health_check.interval = -1|*: source "default": the interval of this source is not above zero*
.health_check.interval = "10s"|*: source "default": the interval of this source is no number of seconds
.health_check.interval = 0.0001|*: source "default": this time of the source is shorter than a millisecond
.health_check.interval = 1e300|*: source "default": a check of this source and its interval can last longer*
.health_check.timeout = 0|*: source "default": the timeout of this source is not above zero*
.health_check.retries = -1|*: source "default": the retries of this source are no whole number*
.health_check.retries = 1.5|*: source "default": the retries of this source are no whole number*
.health_check.retry_interval = -1|*: source "default": the retry_interval of this source is negative*
.health_check.test = "SELECT 1"|*: source "default": the test of this source is no object
.health_check.test.sql = 1|*: source "default": the sql of this source's test is no text
.name = "no kind"|*: source "no kind": two sources have this name*
END
changed '.metadata.backend_configs = {}' '*: source "agent": the kind of this source is not known*'
changed '.metadata.backend_configs.dataconnector.athena = {}' '*: source "agent": the agent of this kind has no uri*'

# The whole command says no more than that, and starts no compiler.
status=0
said=$(ONLY_BUILD=1 $run "$output/bad.json" 2>&1) || status=$?
[[ $status = 1 && $said == "$output/bad.json:"*"source \"agent\": the agent of this kind has no uri"* && $(wc -l <<<"$said") = 1 ]] || fail "run.sh: $said"
said=$(ONLY_BUILD=1 $run "$output/none.json" 2>&1) && fail "a file that is not there is served"
same "no file" "$said" "$output/none.json: there is no such file"
said=$(HASURA_GRAPHQL_ADMIN_SECRET= $run $metadata 2>&1) && fail "it serves without a secret"
[[ $said == "HASURA_GRAPHQL_ADMIN_SECRET is not set"* ]] || fail "without a secret: $said"
passed=$((passed + 3))

# --- the build step keeps the places, in two megabytes of pretty and in one line of dense JSON

jq '.metadata.sources = [range(20) as $i | {name: "s\($i)", kind: "pg", tables: [range(200) | {table: {schema: "public", name: "t; [\(.)]"},
    select_permissions: [{role: "user", permission: {columns: ["a", "\\\"]}"], filter: {id: {_eq: "X-Hasura-User-Id"}}}}]}],
    configuration: {connection_info: {database_url: {from_env: "A"}}},
    health_check: {interval: (if $i == 17 then 0 else 1 end)}}]' $metadata >"$output/large.json"
jq -c . "$output/large.json" >"$output/dense.json"
[ "$(stat -c %s "$output/large.json")" -gt 2000000 ] || fail "not large"
printf '#include <healthz.hpp>\n#include <healthz/hasura/sources.hpp>\n#include "metadata.hpp"
constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();\n' >"$output/large.cpp"
compile() { g++ -std=c++20 -I include -fsyntax-only "$output/large.cpp" 2>&1; }
for each in large dense; do
    said=$("$inspect" "$output/$each.json" 2>&1) && fail "an interval of 0 is taken"
    IFS=: read -r _ line column _ <<<"$said"
    cmake -DFILE="$output/$each.json" -DOUTPUT="$output/metadata.hpp" -P include/healthz/hasura/hasura_metadata.cmake
    [ "$(stat -c %s "$output/metadata.hpp")" -lt 200000 ] || fail "nothing is cut out"
    said=$(compile | head -8) || true
    [[ $said == *"position{$line, $column}"*"healthz: the interval of this source is not above zero"* ]] || fail "expected $line:$column, got: $said"
    passed=$((passed + 1))
done
sed -i 's/"interval":0}/"interval":1}/' "$output/dense.json"
cmake -DFILE="$output/dense.json" -DOUTPUT="$output/metadata.hpp" -P include/healthz/hasura/hasura_metadata.cmake
said=$(compile) || fail "it does not compile: $(head -5 <<<"$said")"
for bytes in '' '\xef\xbb\xbf[]' '[\0]\0' '[1' '{"a":"\001"}'; do
    printf "$bytes" >"$output/bad.json"
    said=$(cmake -DFILE="$output/bad.json" -DOUTPUT="$output/bad.hpp" -P include/healthz/hasura/hasura_metadata.cmake 2>&1) && fail "the build step takes '$bytes'"
    [[ $(tr -s ' \n' ' ' <<<"$said") == *"healthz: "*"this metadata is no"* ]] || fail "the build step says: $said"
    passed=$((passed + 1))
done

# --- what is served

ONLY_BUILD=1 $run $metadata >"$output/one.txt" 2>"$output/one.log" &
one=$!
server=$(ONLY_BUILD=1 $run $metadata) # at once, in the same folder
wait $one || fail "one of two runs: $(<"$output/one.log")"
same "who may read what has passwords in it" "$(stat -c %a "$(dirname "$server")/metadata.json" "$server" $(find "$(dirname "$server")" -name metadata.hpp) | sort -u | paste -sd' ')" "600 700"
cmake -DFILE=$metadata -DOUTPUT="$output/metadata.hpp" -DNAME=my-metadata -P include/healthz/hasura/hasura_metadata.cmake 2>"$output/first.txt" &&
    fail "a NAME is taken that no variable can have"
[[ $(tr -s ' \n' ' ' <"$output/first.txt") == *"NAME must be that of a variable, and 'my-metadata' is none"* ]] || fail "of NAME it says: $(<"$output/first.txt")"
same "two runs" "$(<"$output/one.txt")" "$server"
same "a run that compiles nothing" "$(ONLY_BUILD=1 $run $metadata 2>&1 >/dev/null)" ""

if [ "$(id -u)" -eq 0 ]; then chown postgres "$output"; fi
printf 'Vq8zKw3x\n' >/tmp/healthz_hasura_password
printf 'postgresql://monitor:Vq8zKw3x@127.0.0.1:5999/postgres\n' >/tmp/healthz_hasura_url
chmod 644 /tmp/healthz_hasura_{url,password}
as_postgres "$postgres_bin/initdb" -D "$output/data" -U monitor -A scram-sha-256 --pwfile=/tmp/healthz_hasura_password -E UTF8 --locale=C --no-sync >"$output/initdb.log"
as_postgres "$postgres_bin/pg_ctl" -D "$output/data" -l "$output/postgres.log" -w -t 60 -s \
    -o "-p 5999 -k $output -c listen_addresses=127.0.0.1 -c fsync=off" start
mkdir -p "$output/nginx/logs"
printf 'daemon off; pid %s/nginx.pid; error_log stderr; events {} http { access_log off; server { listen 127.0.0.1:5998; location = /health { return 204; } } }' \
    "$output" >"$output/nginx.conf"
/usr/sbin/nginx -p "$output/nginx" -c "$output/nginx.conf" 2>"$output/nginx.log" &

export ORDERS_URL=postgresql://monitor:Vq8zKw3x@127.0.0.1:5999/postgres ORDERS_USER=monitor AGENT=http://127.0.0.1:5998/
export INVOICES='Driver={FreeTDS};Server=127.0.0.1,9;Uid=u;Pwd=p'
HASURA_GRAPHQL_ADMIN_SECRET=given PORT=5997 "$server" >"$output/server.log" 2>&1 &
ask() { curl -s --max-time 10 -H 'X-Hasura-Role: admin' -H 'X-Hasura-Admin-Secret: given' http://127.0.0.1:5997/healthz/sources; }
for _ in $(seq 600); do # until all have been checked once
    if [ "$(ask | jq length 2>/dev/null)" = 40 ]; then break; fi
    sleep 0.1
done
ask >"$output/document.json"
same names "$(jq -c keys_unsorted "$output/document.json")" "$(jq -c '[.metadata.sources[] | select(.health_check).name]' $metadata)"
# As JSON's own texts, in the bytes that stand there.
same "first names" "$(head -c 12 "$output/document.json")" '{"default":{'
verdict() { jq -r --arg name "$1" '.[$name] | .status + " " + (.error | if type == "object" then .message else tostring end)' "$output/document.json"; }
while IFS='|' read -r name expected; do same "$name" "$(verdict "$name")" "$expected"; done <<'END'
default|OK null
orders by parameters|OK null
orders, login from elsewhere|OK null
orders as text|OK null
orders, key=value|OK null
a wrong password|ERROR connection error
no kind|OK null
from a file|OK null
variable not set|FAILED environment variable 'NOT_SET' not set
variable not set, with defaults|FAILED environment variable 'NOT_SET_EITHER' not set
file that is not there|FAILED file '/no/such/file': No such file or directory
no URL at all|FAILED the setting 'url' is not a valid PostgreSQL connection string
refused|ERROR connection error
mssql, text|ERROR connection error
mssql, variable|ERROR connection error
mssql, database_url|ERROR connection error
agent|OK null
agent that is down|ERROR connection error
agent from the environment|OK null
END
[[ $(verdict "a query that fails") == ERROR* ]] || fail "a query that fails: $(verdict "a query that fails")"
grep -q 'Vq8zKw3x' "$output/document.json" "$output/server.log" && fail "a password is shown"
same "without a secret" "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5997/healthz/sources)" 401
HASURA_GRAPHQL_ADMIN_SECRET=given PORT=5997 "$server" --healthcheck || fail "the server's own question is answered by no"
ADDRESS=0.0.0.0 HASURA_GRAPHQL_ADMIN_SECRET=given PORT=5997 "$server" --healthcheck || fail "it is not found at all addresses"
ADDRESS=127.0.0.9 PORT=5997 "$server" --healthcheck 2>"$output/first.txt" && fail "it is found where it does not listen"
same "another address" "$(<"$output/first.txt")" "healthz: 127.0.0.9 port 5997/livez: no answer"
ADDRESS=here PORT=5997 "$server" --healthcheck 2>"$output/first.txt" && fail "an address is taken that is none"
same "no address" "$(<"$output/first.txt")" "healthz: 'here' is no IP address"
kill -TERM "$(jobs -p | tail -1)"
echo "$((passed + 5)) passed, 0 failed"
