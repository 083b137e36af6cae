#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/hostile_names.sh
#
# Shows that tests/hostile_names.hpp has every function that the headers have at namespace scope.
# What declares one begins in the first column and has the function's name in the same line. A line there that is nothing
# known is an error, so that none is overlooked.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")"
list=hostile_names.hpp

# missing HEADER...: the functions of these headers that the list lacks
missing() {
    awk -v list=$list '
        BEGIN {
            while ((getline line < list) > 0)
                if (match(line, /^template <auto\.\.\.> void [a-z0-9_]+\(/)) listed[substr(line, 25, RLENGTH - 25)]
        }
        { sub(/ *\/\/.*/, ""); gsub(/sizeof\.\.\.\([a-zA-Z]+\)/, "N") }
        !/^[a-zA-Z_\[]/ || /^(public|protected|private):$/ || /^template <.*>$/ { next }
        /^(namespace|using|concept|class|struct|enum|union|requires|static_assert)[ (]/ { next }
        {
            declared = $0
            sub(/[=({].*/, "", declared)            # what stands before a value or the arguments
            mark = substr($0, length(declared) + 1, 1)
            name = declared
            sub(/.*[^a-zA-Z0-9_]/, "", name)
            if (declared ~ /operator[^a-z]*$/ || (mark != "(" && declared ~ /^inline constexpr /)) next
            if (mark != "(" || declared !~ /[^ ]+ [*&]*[a-z0-9_]+$/) {
                print FILENAME " line " FNR " is no declaration that this script knows: " $0
            } else if (!(name in listed)) {
                print "tests/" list " lacks the function " name " of " FILENAME
            }
            functions++
        }
        END { if (functions < 100) print "only " functions + 0 " functions are seen" }
    ' "$@"
}

mapfile -t headers < <(cd .. && find "$PWD/include" -name '*.hpp')
lacking=$(missing "${headers[@]}")
[ -z "$lacking" ] || { echo "$lacking"; exit 1; }

# It sees functions of all forms.
sample=$(mktemp)
trap 'rm -f "$sample"' EXIT
cat >"$sample" <<'end'
namespace healthz {
inline constexpr int variable = f(1);
template <class T>
[[gnu::noinline]] constexpr std::array<T, 2> sample_1(T a = {});
inline char const* sample_2(char const* a) {
    sample_0(a);
}
constexpr auto& sample_3() { return variable; }
template <class T> void sample_4(T);
auto sample_5(int a) -> std::pair<int, int>;
inline net::awaitable<void> sample_6(
    int a);
constexpr std::pair<long_name, long_name>
constexpr bool operator<(type const&, type const&) { return false; }
}
end
seen=$(missing "${headers[@]}" "$sample")
for i in 1 2 3 4 5 6; do
    grep -q "lacks the function sample_$i of" <<<"$seen" || { echo "this script does not see sample_$i"; exit 1; }
done
grep -q "line 13 is no declaration" <<<"$seen" || { echo "this script overlooks what it does not know"; exit 1; }
[ "$(wc -l <<<"$seen")" -eq 7 ] || { printf 'this script sees what is no function:\n%s\n' "$seen"; exit 1; }
echo "$list lacks none of the functions of ${#headers[@]} headers"
