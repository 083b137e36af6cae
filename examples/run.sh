#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/run.sh
#
# Installs what the demo server needs, builds it, makes a small SQLite database, and serves until it is interrupted.
#
#   PORT                  where to listen on 127.0.0.1 (8080)
#   HEALTHZ_ADMIN_SECRET  the secret that a request must show (a random one, which is printed)
#   ORDERS_URL            connection string of the PostgreSQL source (unset: that source is FAILED)
#   GATEWAY_ADDRESS       host:port of the TCP source (127.0.0.1:9)
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

packages=(g++ cmake curl ninja-build pkg-config libboost1.81-dev libpq-dev libsqlite3-dev sqlite3)
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
mkdir -p build/demo
{
    cmake -S . -B build/demo -G Ninja -DHEALTHZ_BUILD_TESTS=OFF -DCMAKE_CXX_FLAGS=-O1
    cmake --build build/demo --target demo
} >build/demo/log.txt 2>&1 || { cat build/demo/log.txt >&2; exit 1; }

export INVENTORY_DB=$PWD/build/demo/inventory.db
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
exec build/demo/examples/demo
