#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/public_names.sh [--write]
#
# Shows that the public names of the headers are those of tests/public_names.txt, and that each has a doc comment and stands in a test.
# Public is what a header declares in `healthz` or `healthz::beast`; what is in a namespace `detail` is not. With --write, writes the list.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
list=tests/public_names.txt

# names HEADER...: a line for each name, with "doc" or "none" before it
names() {
    awk '
        FNR == 1 { space = ""; doc = "none" }
        /^namespace [a-z:]* ?\{$/ { if (/detail \{$/) hidden = 1; else if (!hidden) space = $2; next }
        /^}  \/\/ namespace / { if (/detail$/) hidden = 0; next }
        hidden || space == "" { next }
        /^\/\/\// { doc = "doc"; next }
        /^template <|^ |^\/\// { next }
        /^[a-z\[]/ {
            if (/\/\/\/</) doc = "doc"
            sub(/ *\/\/.*/, "")
            gsub(/\[\[[^]]*\]\] */, "")
            name = ""
            if (match($0, /^(class|struct|union|enum class|enum|concept|using|namespace) [a-z0-9_]+/)) {
                name = substr($0, RSTART, RLENGTH)
                if (substr($0, RLENGTH + 1) ~ /^(<|::|;)/) name = ""   # a specialisation, a member, a declaration only
            } else {
                name = $0
                sub(/[=({;].*/, "", name)
                sub(/ *$/, "", name)
            }
            sub(/.*[^a-zA-Z0-9_]/, "", name)
            if (name != "") print doc, space "::" name, FILENAME
        }
        { doc = "none" }
    ' "$@"
}

mapfile -t headers < <(find include -name '*.hpp' | sort)
found=$(names "${headers[@]}")
public=$(cut -d' ' -f2 <<<"$found" | sort -u)
if [ "${1:-}" = --write ]; then printf '%s\n' "$public" >$list; fi
if ! difference=$(diff $list <(printf '%s\n' "$public")); then
    printf 'the public names differ from %s ("<": no longer there, ">": new); if that is meant: tests/public_names.sh --write\n%s\n' $list "$difference"
    exit 1
fi
lacking=$(while read -r name; do
    grep -q "^doc $name " <<<"$found" || echo "$name has no doc comment"
    grep -rqw --include='*.cpp' --include='*.hpp' "${name##*::}" tests/*/ || echo "$name is in no test"
done <<<"$public")
[ -z "$lacking" ] || { printf '%s\n' "$lacking"; exit 1; }

# It sees names of all forms, and no others.
sample=$(mktemp)
trap 'rm -f "$sample"' EXIT
cat >"$sample" <<'end'
namespace healthz {

/// Documented.
template <class T>
    requires(true)
class sample_1 {
    int member;
};
struct sample_2 : sample_1<int> {};
template <>
struct sample_1<int> {};
struct elsewhere;
struct elsewhere::inner {};

namespace detail {

struct hidden {};

}  // namespace detail

/// Documented.
template <class T>
concept sample_3 = true;
inline constexpr std::array<int, 2> sample_4{};
[[gnu::noinline]] constexpr std::pair<a, b> sample_5(int a = 0) { return {}; }
using sample_6 = int;
enum class sample_7 : int {
    enumerator,
};

}  // namespace healthz
end
seen=$(names "$sample" | awk '{ printf "%s%s ", substr($2, length($2)), $1 == "doc" ? "d" : "" }')
[ "$seen" = "1d 2 3d 4 5 6 7 " ] || { echo "this script sees: $seen"; exit 1; }
echo "$(wc -l <$list) public names, each with a doc comment and a test"
