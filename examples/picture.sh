#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/picture.sh [FILE.png]
#
# Takes the README's picture of the page, examples/page.png: the demo server for a minute and a half, as Chromium shows it.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
picture=$(realpath "${1:-examples/page.png}") log=$(mktemp)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -f "$log"' EXIT
command -v chromium >/dev/null || { echo "needs Chromium: apt-get install chromium" >&2; exit 1; }

HEALTHZ_ADMIN_SECRET=picture PORT=0 examples/run.sh >"$log" 2>&1 &
until port=$(sed -nE 's/^listening on .*:([0-9]+)$/\1/p' "$log"); [ -n "$port" ]; do
    kill -0 $! || { cat "$log" >&2; exit 1; }
    sleep 0.2
done
sleep 90 # some checks to show
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --window-size=1000,560 --screenshot="$picture" \
    "http://any:picture@127.0.0.1:$port/healthz/page" 2>/dev/null
[ "$(head -c 8 "$picture" | tail -c 7 | head -c 3)" = PNG ]
echo "$picture"
