#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/tds/run.sh RESPONDER
#
# Shows that the program RESPONDER speaks SQL Server's protocol as clients that no one here wrote understand it: FreeTDS's
# tsql, unixODBC's isql, and npm's tedious, which is installed under build/tds.
set -euo pipefail
responder=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$here/../../build/tds
passed=0
mkdir -p "$work"
cd "$work"

coproc server { exec "$responder"; } # it ends when its input does, and that when this script does
read -r port <&"${server[0]}"

expect() { # "WHAT" "TEXT" COMMAND...: the output has the text
    local output
    output=$("${@:3}" 2>&1) || true
    if [[ $output == *"$2"* ]]; then
        echo "ok      $1"
        passed=$((passed + 1))
    else
        printf '%s\nFAILED  %s\n%s passed, 1 failed\n' "$output" "$1" "$passed"
        exit 1
    fi
}
tsql() { printf '%s\ngo\n' "$2" | TDSVER=$3 timeout 20 tsql -H 127.0.0.1 -p "$port" -U monitor -P "$1" -D "${4:-orders}"; }
isql() { printf '%s\n' "$2" | ODBCSYSINI=$work ODBCINI=$work/none timeout 20 isql -b "$3" monitor "$1"; }

for version in auto 7.2 7.3 7.4; do
    expect "tsql $version: SELECT 1" "(1 row affected)" tsql Vq8zKw3x "SELECT 1" $version
    expect "tsql $version: SQL error" "Msg 208 (severity 16" tsql Vq8zKw3x "SELECT * FROM no_such_table" $version
    expect "tsql $version: wrong password" "Login failed for user 'monitor'" tsql wrong "SELECT 1" $version
    expect "tsql $version: unknown database" 'Cannot open database "nowhere"' tsql Vq8zKw3x "SELECT 1" $version nowhere
done

printf '[FreeTDS]\nDriver=libtdsodbc.so\n' >odbcinst.ini
for version in auto 7.2 7.3 7.4; do
    printf '[v%s]\nDriver=FreeTDS\nServer=127.0.0.1\nPort=%s\nDatabase=orders\nTDS_Version=%s\n' $version "$port" $version
done >odbc.ini
for version in auto 7.2 7.3 7.4; do
    expect "isql $version: SELECT 1" "1 rows fetched" isql Vq8zKw3x "SELECT 1" v$version
    expect "isql $version: SQL error" "Could not SQLExecute" isql Vq8zKw3x "SELECT 1/0" v$version
    expect "isql $version: wrong password" "Could not SQLConnect" isql wrong "SELECT 1" v$version
done

npm install --silent --no-audit --no-fund --prefix . tedious@19
expect "tedious" "all as expected" env NODE_PATH="$work/node_modules" bash -c 'timeout 60 node "$1" "$2" && echo "all as expected"' \
    sh "$here/tedious.js" "$port"

echo "$passed passed, 0 failed"
