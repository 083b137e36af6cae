#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: benchmarks/size/run.sh [--check | --readme]
#
# Links the same job, done with this library and by hand, for 1, 4, 16 and 64 sources on Cortex-M0+, M4 and M33, and prints
# what each adds to an image of the board alone (nothing.cpp), in bytes. Both write the same document in QEMU, or the script
# fails. Then the sizes of the example's images, a board a row. With --check it fails too where a budget is exceeded or the page has other boards; with --readme both
# tables go into examples/firmware/README.md.
#
#   library        flash <= 4096 for 4 sources on the Cortex-M4
#   further source flash <= 96 beside its name, RAM <= 32 beside its text of 128 bytes, also where its prober keeps a number
#   by hand        needs more flash and more RAM from 16 sources on
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
source examples/firmware/toolchain.sh
install_missing gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm libboost1.81-dev >&2

out=$PWD/build/size text=128 name=11 # "sensor 00", in quotes
mkdir -p "$out"
failed=0 passed=0
budget() { # TITLE VALUE MOST
    if [ "$2" -le "$3" ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAILED: $1: $2, more than $3" >&2
}

# build PROGRAM SOURCES [FLAG...] : an image; sets flash and ram
build() {
    local image=$out/$cpu-$1-$2${3:-} objects=() needs=()
    # What newlib's snprintf wants: stubs of an operating system, and a heap.
    [ "$1" != by_hand ] || needs=(--specs=nosys.specs -Wl,--no-warnings -Wl,--defsym=end=0x20100000)
    for source in examples/firmware/startup.cpp benchmarks/size/board.cpp "benchmarks/size/$1.cpp"; do
        objects+=("$image-$(basename "$source").o")
        compile "$source" "${objects[-1]}" "${bare[@]}" "-DSOURCES=$2" "${@:3}"
    done
    link "$image.elf" "${objects[@]}" "${needs[@]}"
    read -r flash ram < <("$arm-size" "$image.elf" | awk 'NR == 2 { print $1 + $2, $2 + $3 }')
}

table=""
row() { table+=$1$'\n'; echo "$1"; }
row "| core | sources | flash | by hand | RAM | by hand | a further source: flash | by hand | RAM | by hand |"
row "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
for cpu in cortex-m0plus cortex-m4 cortex-m33; do
    last=0
    for sources in 1 4 16 64; do
        build nothing "$sources"
        base_flash=$flash base_ram=$ram
        for program in with_healthz by_hand; do
            build "$program" "$sources"
            declare "${program}_flash=$((flash - base_flash))" "${program}_ram=$((ram - base_ram))"
        done
        further=("" "" "" "")
        if [ "$last" -ge 4 ]; then # both types of prober are in use
            i=0
            for what in with_healthz_flash by_hand_flash with_healthz_ram by_hand_ram; do
                before=last_$what
                further[i++]=$(((${!what} - ${!before}) / (sources - last)))
            done
            budget "flash of a further source, $cpu, $sources" $((further[0] - name)) 96
            budget "RAM of a further source, $cpu, $sources" $((further[2] - text)) 32
            budget "flash for $sources sources, $cpu, and by hand" "$with_healthz_flash" $((by_hand_flash - 1))
            budget "RAM for $sources sources, $cpu, and by hand" "$with_healthz_ram" $((by_hand_ram - 1))
        fi
        if [ "$cpu$sources" = cortex-m44 ]; then budget "flash for 4 sources, $cpu" "$with_healthz_flash" 4096; fi
        row "| $cpu | $sources | $with_healthz_flash | $by_hand_flash | $with_healthz_ram | $by_hand_ram | ${further[0]} | ${further[1]} | ${further[2]} | ${further[3]} |"
        for what in with_healthz_flash by_hand_flash with_healthz_ram by_hand_ram; do declare "last_$what=${!what}"; done
        last=$sources
    done

    # The same with probers that keep a number between start and poll.
    build with_healthz 16 -DKEEPS_A_NUMBER
    flash_16=$flash ram_16=$ram
    build with_healthz 64 -DKEEPS_A_NUMBER
    budget "flash of a further source whose prober keeps a number, $cpu" $(((flash - flash_16) / 48 - name)) 96
    budget "RAM of a further source whose prober keeps a number, $cpu" $(((ram - ram_16) / 48 - text)) 32
done

for sources in 4 16 64; do
    run_image "$out/cortex-m4-with_healthz-$sources.elf" >"$out/with_healthz.json"
    run_image "$out/cortex-m4-by_hand-$sources.elf" >"$out/by_hand.json"
    cmp "$out/with_healthz.json" "$out/by_hand.json"
    grep -q '"status":"OK".*"status":"TIMEOUT"' "$out/by_hand.json"
done
passed=$((passed + 1))
if [ "${1:-}" = --readme ]; then benchmarks/splice.sh examples/firmware/README.md "benchmarks/size/run.sh --readme" <<<$'\n'"${table%$'\n'}"; fi

table=""
row "| board | processor | in QEMU | flash | of | RAM | of |"
row "|---|---|---|--:|--:|--:|--:|"
for name in m0 m4 m33; do
    choose_board $name
    said=$(examples/firmware/run.sh $name 2>&1 >/dev/null) # "N bytes of flash, N of RAM"
    read -r flash _ _ _ ram _ <<<"$said"
    row "| \`$name\` | $cpu | \`$machine\` | $flash | ${code_length%?} ${code_length: -1}iB | $ram | ${data_length%?} ${data_length: -1}iB |"
done
if [ "${1:-}" = --readme ]; then benchmarks/splice.sh examples/firmware/README.md "benchmarks/size/run.sh --readme boards" <<<$'\n'"${table%$'\n'}"; fi
if [ "${1:-}" = --check ]; then
    while read -r line; do
        if grep -qxF "$line" examples/firmware/README.md; then passed=$((passed + 1))
        else failed=$((failed + 1)) && echo "FAILED: examples/firmware/README.md does not have the line $line; see --readme"; fi
    done <<<"${table%$'\n'}"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
fi
