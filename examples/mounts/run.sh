#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/mounts/run.sh NAME
#
# Installs what the mount NAME needs (beast, civetweb, httplib, microhttpd, pistache, poco, qt or restinio), builds it, makes a small SQLite
# database, and serves until it is interrupted.
#
#   PORT                  where to listen on 127.0.0.1 (8080)
#   HEALTHZ_ADMIN_SECRET  the secret that a request must show (a random one, which is printed)
#   ORDERS_URL            connection string of the PostgreSQL source (unset: that source is FAILED)
#   GATEWAY_ADDRESS       host:port of the TCP source (127.0.0.1:9)
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."

declare -A needs=([beast]='' [civetweb]=libcivetweb-dev [httplib]=libcpp-httplib-dev [microhttpd]=libmicrohttpd-dev
    [pistache]=libpistache-dev [poco]=libpoco-dev [qt]='qt6-httpserver-dev qt6-websockets-dev'
    [restinio]='librestinio-dev libhttp-parser-dev libfmt-dev')
name=${1:-}
[ -n "$name" ] && [ -n "${needs[$name]+set}" ] || { sed -n '3,/^set /s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }

# shellcheck disable=SC2206  # several packages
packages=(g++ cmake curl ninja-build pkg-config libboost1.81-dev libpq-dev libsqlite3-dev sqlite3 ${needs[$name]})
missing=() as_root=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing: ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

echo "building"
mkdir -p build/mounts
{
    cmake -S . -B build/mounts -G Ninja -DHEALTHZ_BUILD_TESTS=OFF -DCMAKE_CXX_FLAGS=-O1
    cmake --build build/mounts --target "mount_$name"
} >build/mounts/log.txt 2>&1 || { cat build/mounts/log.txt >&2; exit 1; }

export INVENTORY_DB=$PWD/build/mounts/inventory.db
sqlite3 "$INVENTORY_DB" 'CREATE TABLE IF NOT EXISTS item (name TEXT, amount INTEGER); INSERT INTO item VALUES (datetime(), 1);'

export PORT=${PORT:-8080}
if [ -z "${HEALTHZ_ADMIN_SECRET:-}" ]; then
    HEALTHZ_ADMIN_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    export HEALTHZ_ADMIN_SECRET
    shown=$HEALTHZ_ADMIN_SECRET
else
    shown='$HEALTHZ_ADMIN_SECRET'
fi
echo "try:  curl -H 'X-Hasura-Role: admin' -H \"X-Hasura-Admin-Secret: $shown\" http://127.0.0.1:$PORT/healthz/sources"
echo "and:  http://127.0.0.1:$PORT/healthz/page in a browser, with any user and the secret as password"
exec "build/mounts/examples/mounts/mount_$name"
