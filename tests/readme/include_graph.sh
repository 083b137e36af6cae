#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/readme/include_graph.sh [--write]
#
# Draws which header includes which of ours, by folders and one by one, as it stands in include/healthz/README.md. Without --write,
# shows that it stands there, and that no header includes itself by way of others.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
page=include/healthz/README.md

# A line for each include: the header, and what it includes, both below include/healthz.
edges() {
    local header
    (cd include/healthz && find . -name '*.hpp' | cut -c3- | LC_ALL=C sort) | while read -r header; do
        sed -nE 's/^#include "([^"]+)".*/\1/p' "include/healthz/$header" | while read -r included; do
            echo "$header $(realpath -m --relative-to=include/healthz "include/healthz/$(dirname "$header")/$included")"
        done
    done
}
all=$(edges)
tsort <<<"$all" >/dev/null || { echo "headers include each other"; exit 1; }

room() { sed -E 's,[^ ]*/[^ /]*\.hpp,&/,g; s,/[^ /]*\.hpp/,,g; s,[a-z_0-9]+\.hpp,core,g' <<<"$all"; }
graph=$(
    echo '```mermaid'
    echo 'graph BT'
    room | awk '$1 != $2' | LC_ALL=C sort -u | sed -E 's/(.*) (.*)/    \1 --> \2/'
    echo '```'
    echo
    echo '```'
    awk '{ if ($1 != last) printf "%s%s:", last == "" ? "" : "\n", $1; printf " %s", $2; last = $1 } END { print "" }' <<<"$all"
    echo '```'
)

mark='<!-- include graph -->'
before=$(sed "/^$mark\$/q" $page)
after=$(sed "1,/^$mark\$/d" $page)
rest=$(sed -n '/^<!-- end -->$/,$p' <<<"$after")
drawn=$(printf '%s\n%s\n%s' "$before" "$graph" "$rest")
if [ "${1:-}" = --write ]; then
    printf '%s\n' "$drawn" >$page
elif [ "$drawn" != "$(<$page)" ]; then
    echo "the include graph of $page is not what the headers include; tests/readme/include_graph.sh --write draws it"
    exit 1
fi
echo "$(wc -l <<<"$all") includes, none in a circle"
