#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: COMMAND | benchmarks/splice.sh PAGE MARKER
# Puts what it reads between the lines `<!-- MARKER -->` and `<!-- end -->` of PAGE, in place of what stands there.
set -euo pipefail
page=$1 marker="<!-- $2 -->"
text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat >"$text"
grep -qxF "$marker" "$page" || { echo "$page has no line $marker" >&2; exit 1; }
awk -v marker="$marker" -v text="$text" '
    inside && $0 == "<!-- end -->" { inside = 0 }
    inside { next }
    { print }
    $0 == marker { inside = 1; while ((getline line <text) > 0) print line }
    END { exit inside }' "$page" >"$text.page" || { echo "$page has no <!-- end --> after $marker" >&2; rm "$text.page"; exit 1; }
cat "$text.page" >"$page"
rm "$text.page"
