#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/firmware/run.sh --http
#
# Installs what it needs, fetches lwIP, builds board.cpp for a Cortex-M4 as build/board/healthz.elf, and serves its sources at
# 127.0.0.1:$PORT (8080) through QEMU's user network, until it is interrupted. Type d, and the board's IMU dies: the watchdog is no longer fed.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../../.."
source examples/firmware/http/build.sh

install_missing gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm libboost1.81-dev dpkg-dev curl
fetch_lwip >&2
shown='$HEALTHZ_ADMIN_SECRET'
if [ -z "${HEALTHZ_ADMIN_SECRET:-}" ]; then
    HEALTHZ_ADMIN_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    shown=$HEALTHZ_ADMIN_SECRET
fi
build_board "$HEALTHZ_ADMIN_SECRET"
"$arm-size" "$wire/healthz.elf" | awk 'NR == 2 { print $1 + $2, "bytes of flash,", $2 + $3, "of RAM" }'
port=${PORT:-8080}
echo "try:  curl -H \"X-Hasura-Admin-Secret: $shown\" http://127.0.0.1:$port/healthz/sources"
echo "and:  http://127.0.0.1:$port/healthz/page in a browser, with any user and the secret as password"
run_board "$port" -serial stdio
