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
source examples/common.sh
serve_demo demo demo
