#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The pages tell the truth: each C++ snippet stands word for word in the file that its comment names, the fault table is the one
# that is tested, the README's figures are those of the report, each link leads somewhere, and the commands of the first screen
# give the output that stands below them (but for the times).
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
passed=0 page=README.md
mapfile -t pages < <(find README.md .github benchmarks examples include tests -name '*.md' | sort)
fail() { echo "$page: $*" >&2; exit 1; }

# Snippets.
check_snippets() { # PAGE
    local file='' block='' inside=0 line content
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
}
for each in "${pages[@]}"; do check_snippets "$each"; done
[ $passed -ge 24 ] || fail "only $passed snippets in ${pages[*]}"

# Links: the file is there, and so is the heading where one is named.
anchors() { # PAGE
    sed -nE '/^```/,/^```/d; s/^#+ //p' "$1" | sed 's/\[\([^]]*\)\]([^)]*)/\1/g' | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}
check_links() { # PAGE
    local link target heading
    page=$1
    while IFS= read -r link; do
        target=${link%%#*} heading=''
        [[ $link != *'#'* ]] || heading=${link#*#}
        target=$([ -z "$target" ] && echo "$page" || realpath -m --relative-to=. "$(dirname "$page")/$target")
        [[ $target != ..* && -e $target ]] || fail "the link '$link' leads nowhere"
        [ -z "$heading" ] || anchors "$target" | grep -qxF -e "$heading" || fail "the link '$link' names no heading of $target"
        links=$((links + 1))
    done < <(sed '/^```/,/^```/d; s/`[^`]*`//g' "$page" | grep -oE '\]\([^) ]+\)' | sed -E 's/^..//; s/.$//' | grep -vE '^[a-z]+:')
}
links=0
for each in "${pages[@]}"; do check_links "$each"; done
[ $links -ge 80 ] || fail "only $links links in ${pages[*]}"
passed=$((passed + 1)) page=README.md

# One sitting.
[ "$(wc -l <README.md)" -le 200 ] || fail "longer than 200 lines"
passed=$((passed + 1))

# The figures are those of the report, as the benchmarks write them.
between() { sed -n "/^<!-- ${2//\//\\/} -->$/,/^<!-- end -->$/p" "$1" | sed '1d;$d'; } # PAGE MARKER
marker="benchmarks/run.sh --readme"
between benchmarks/README.md "$marker" | awk -f benchmarks/ten_figures.awk benchmarks/ten_figures.tsv - |
    diff - <(between README.md "$marker") || fail "the figures differ from those of benchmarks/README.md"
passed=$((passed + 1))

# The fault table is the one that the tests of the probers read, whole and in one place.
page=include/healthz/probers/README.md
[[ $(<$page) == *$'\n\n'"$(<tests/probers/faults.md)"$'\n\n'* ]] || fail "the fault table is not that of tests/probers/faults.md"
passed=$((passed + 1))

page=README.md
tests/readme/include_graph.sh
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
