#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: benchmarks/size/wire.sh [--check | --readme]
#
# Links wire.cpp with lwIP for a Cortex-M4 four times, and prints what the views of four sources, the decision who may see them, and HTTP with one
# connection add, in bytes; and the largest functions of each. With --check it fails where a budget is exceeded; with --readme the tables go into examples/firmware/README.md.
#
#   HTTP           flash <= 4608, RAM <= 1024, one connection included
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
source examples/firmware/http/build.sh
install_missing gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib libboost1.81-dev dpkg-dev >&2
fetch_lwip >&2
out=$PWD/build/size wire=$PWD/build/size/board
build_board none >&2
for kind in 0 1 2 3; do
    compile benchmarks/size/wire.cpp "$out/wire$kind.o" "${bare[@]}" -I examples/firmware/http -I "$wire" -isystem "$lwip/src/include" "-DWIRE=$kind"
    objects=("$out/wire$kind.o")
    for object in "$wire"/*.o; do
        if [ "$(basename "$object")" != board.o ]; then objects+=("$object"); fi
    done
    link "$out/wire$kind.elf" "${objects[@]}"
    read -r "flash[kind]" "ram[kind]" < <("$arm-size" "$out/wire$kind.elf" | awk 'NR == 2 { print $1 + $2, $2 + $3 }')
    # A name, without what it is of, and its size.
    "$arm-nm" -S -C "$out/wire$kind.elf" | awk '$3 ~ /[tTwWvVrR]/ { size = strtonum("0x" $2); sub(/^([^ ]+ ){3}/, ""); print $0 "\t" size }' |
        sed -E 's/\(anonymous namespace\):://g' | sort >"$out/wire$kind.symbols"
done

table="| | flash | RAM | the largest of it |
|---|--:|--:|---|"
largest() { # BEFORE NOW : what one has and the other has not
    comm -13 <(cut -f 1 "$out/wire$1.symbols" | sort -u) <(cut -f 1 "$out/wire$2.symbols" | sort -u) |
        awk -F'\t' 'NR == FNR { size[$1] += $2; next } { print size[$1] "\t" $1 }' "$out/wire$2.symbols" - |
        sed -E 's/\(.*//; s/<.*>//; s/<.*//; s/\[.*//; s/^([0-9]+\t)([a-z ]+ )?(healthz::)?(lwip::)?(detail::)?/\1/' |
        awk -F'\t' '{ size[$2] += $1 } END { for (name in size) print size[name] "\t" name }' | sort -rn | head -n 12 |
        awk -F'\t' '{ printf "%s`%s` %s", (NR > 1 ? ", " : ""), $2, $1 }'
}
table+=$'\n'"| lwIP, its pools, the driver | ${flash[0]} | ${ram[0]} | |"
table+=$'\n'"| four sources, all views | $((flash[1] - flash[0])) | $((ram[1] - ram[0])) | $(largest 0 1) |"
table+=$'\n'"| who may see them: credentials, Accept, refusals | $((flash[2] - flash[1])) | $((ram[2] - ram[1])) | $(largest 1 2) |"
table+=$'\n'"| HTTP, one connection | $((flash[3] - flash[2])) | $((ram[3] - ram[2])) | $(largest 2 3) |"
echo "$table"
case "${1:-}" in
--readme) benchmarks/splice.sh examples/firmware/README.md "benchmarks/size/wire.sh --readme" <<<$'\n'"$table" ;;
--check)
    if [ $((flash[3] - flash[2])) -gt 4608 ] || [ $((ram[3] - ram[2])) -gt 1024 ]; then
        echo "FAILED: HTTP takes more than 4608 bytes of flash or 1024 of RAM"
        exit 1
    fi
    echo "2 passed, 0 failed"
    ;;
esac
