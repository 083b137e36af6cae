#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The README and the page for authors of probers tell the truth: each C++ snippet stands word for word in the file that its
# comment names, the fault table is the one that is tested, and the commands of the first screen give the output that stands
# below them (but for the times).
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
passed=0 page=README.md
fail() { echo "$page: $*" >&2; exit 1; }

# Snippets.
check_snippets() { # PAGE
    local file='' block='' inside=0 before=$passed line content
    page=$1
    while IFS= read -r line; do
        if [ $inside = 0 ]; then
            case "$line" in
            '<!-- '*' -->') file=${line#<!-- } file=${file% -->} ;;
            '```cpp') [ -n "$file" ] || fail "a C++ snippet names no file"; inside=1 block='' ;;
            '```'*) inside=2 ;;
            esac
        elif [ "$line" = '```' ]; then
            if [ $inside = 1 ]; then
                content=$(<"$file")
                [[ $content == *"${block%$'\n'}"* ]] || fail "this snippet does not stand in $file:"$'\n'"$block"
                passed=$((passed + 1)) file=''
            fi
            inside=0
        else
            block+=$line$'\n'
        fi
    done <"$page"
    [ $((passed - before)) -gt 2 ] || fail "only $((passed - before)) snippets found"
}
check_snippets include/healthz/probers/README.md
check_snippets README.md

# The fault table is the one that the tests of the probers read, whole and in one place.
[[ $(<README.md) == *$'\n\n'"$(<tests/probers/faults.md)"$'\n\n'* ]] || fail "the fault table is not that of tests/probers/faults.md"
passed=$((passed + 1))

# The first screen, in a network of its own where that can be had, since its port is a fixed one.
if [ -z "${README_NETWORK:-}" ] && unshare -rn true 2>/dev/null && command -v ip >/dev/null; then
    README_NETWORK=own exec unshare -rn "$0"
fi
if [ -n "${README_NETWORK:-}" ]; then ip link set lo up; fi

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
screen=$(awk '/^```console$/ { on = 1; next } /^```$/ && on { exit } on' README.md)
mapfile -t commands < <(sed -n 's/^\$ //p' <<<"$screen")
expected=$(grep -v '^\$ ' <<<"$screen")
ln -s "$PWD/include" "$PWD/examples" "$folder"
cd "$folder"
times='s/"timestamp":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z"/"timestamp":TIME/g'
printed=''
for command in "${commands[@]}"; do
    echo "$ $command"
    case "$command" in
    curl*)
        for _ in $(seq 100); do # the server starts in the background; its first checks take a moment
            printed=$(eval "${command/curl/curl -s}") || printed=''
            if [[ $printed == *inventory*queue* ]]; then break; fi
            sleep 0.1
        done
        echo "$printed" ;;
    *) eval "$command" ;;
    esac
done
[ "$(sed -E "$times" <<<"$printed")" = "$(sed -E "$times" <<<"$expected")" ] || fail "the program's output differs from what is printed:"$'\n'"$expected"
passed=$((passed + 1))
echo "$passed passed, 0 failed"
