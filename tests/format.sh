#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/format.sh [--write]
#
# All C++ is as clang-format 14 lays it out by .clang-format; --write makes it so. The README's first program is as narrow as a page.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find include tests benchmarks examples -name '*.[hc]pp' ! -path examples/readme.cpp | LC_ALL=C sort)
case "${1:-}" in
--write) clang-format -i "${files[@]}" ;;
*)
    clang-format --dry-run -Werror "${files[@]}"
    echo "${#files[@]} files are laid out as they should be"
    ;;
esac
