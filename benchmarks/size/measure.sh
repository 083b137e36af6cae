#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Size: what a further source adds to the program's code and constants, beside its name, where its type of prober is in use
# already; on x86-64 and on Cortex-M4, beside a std::tuple and a vector of unique_ptr to a base class.
source "$(dirname "$0")/../common.sh"
dir=$out/size-a-source few=32 many=96 name=11 # "source 0000"
mkdir -p "$dir"
source examples/firmware/toolchain.sh

x86_64() { g++ -std=c++20 -O2 -w -fno-pie -Iinclude -c "$1" -o "$2"; }
cortex_m4() { compile "$1" "$2" "${bare[@]}" -w; }
cpu=cortex-m4
for target in x86_64 cortex_m4; do
    row="x86-64 -O2" size=size
    if [ $target = cortex_m4 ]; then row="Cortex-M4 -Os" size=$arm-size; fi
    for kind in healthz virtual tuple; do
        column=$kind
        if [ $kind = tuple ]; then column=std::tuple; fi
        for count in $few $many; do
            SAME=1 benchmarks/compile/generate.sh $kind $count >"$dir/$kind-$count.cpp"
            $target "$dir/$kind-$count.cpp" "$dir/$kind-$count.o"
        done
        # Code, constants and initial values; memory that begins as zeros is no part of the program.
        figure size "$row" "$column, bytes/source" 1 "$($size "$dir/$kind-$few.o" "$dir/$kind-$many.o" |
            awk -v sources=$((many - few)) -v name=$name 'NR > 1 { bytes[NR] = $1 + $2 } END { printf "%.1f\n", (bytes[3] - bytes[2]) / sources - name }')"
    done
done
