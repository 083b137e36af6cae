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
source examples/common.sh

declare -A needs=([beast]='' [civetweb]=libcivetweb-dev [httplib]=libcpp-httplib-dev [microhttpd]=libmicrohttpd-dev
    [pistache]=libpistache-dev [poco]=libpoco-dev [qt]='qt6-httpserver-dev qt6-websockets-dev'
    [restinio]='librestinio-dev libhttp-parser-dev libfmt-dev')
name=${1:-}
[ -n "$name" ] && [ -n "${needs[$name]+set}" ] || { sed -n '3,/^set /s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }

# shellcheck disable=SC2086  # several packages
serve_demo "mount_$name" "mounts/mount_$name" ${needs[$name]}
