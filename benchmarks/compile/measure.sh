#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Compiling: seconds of CPU and peak memory for any number of sources of distinct types, beside the same as a std::tuple and
# as a vector of unique_ptr to a base class; and what each header costs alone.
source "$(dirname "$0")/../common.sh"
dir=$out/compile
mkdir -p "$dir"
rm -f "$dir"/*.cpp

# compile COMPILER FILE : sets seconds (of CPU) and mebibytes; both empty where it fails
compile() {
    local line
    seconds="" mebibytes=""
    # A compiler that gives up, as for a tuple of 512, leaves no figure.
    line=$(/usr/bin/time -f '%U %S %M' "$1" -std=c++20 -O2 -w -Iinclude -I/usr/include/postgresql -I/usr/include/mariadb -c "$2" -o "$dir/object.o" 2>&1) || return 0
    read -r seconds mebibytes < <(tail -1 <<<"$line" | awk '{ printf "%.2f %.0f\n", $1 + $2, $3 / 1024 }')
}

columns=("g++:healthz" "g++:family" "g++:virtual" "g++:tuple" "clang++:healthz") counts=(1 8 64 256 512)
if [ "$quick" = 1 ]; then columns=("g++:healthz" "g++:family") counts=(64 256 512); fi
declare -A title=([g++:healthz]="g++" [g++:family]="g++ family" [g++:virtual]="g++ virtual" [g++:tuple]="g++ std::tuple" [clang++:healthz]="clang")
for kind in includes healthz family virtual tuple; do
    for count in "${counts[@]}"; do benchmarks/compile/generate.sh "$kind" "$count" >"$dir/$kind-$count.cpp"; done
done
# Forty sources out of Hasura's metadata, beside the same by hand.
benchmarks/compile/generate.sh json 40 >"$dir/metadata.json"
cmake -DFILE="$dir/metadata.json" -DOUTPUT="$dir/metadata.hpp" -P include/healthz/hasura/hasura_metadata.cmake
for kind in by_hand metadata; do benchmarks/compile/generate.sh "$kind" 40 >"$dir/$kind-40.cpp"; done

for round in $(seq "$rounds"); do
    for each in "by hand:by_hand" "out of metadata:metadata"; do
        compile g++ "$dir/${each#*:}-40.cpp"
        figure "40 sources" "${each%%:*}" "g++, s" "$round" "$seconds"
        figure "40 sources" "${each%%:*}" "g++, MiB" "$round" "$mebibytes"
    done
    for count in "${counts[@]}"; do
        if [ "$quick" = 1 ] && [ "$count" -gt 64 ] && [ "$round" -gt 1 ]; then continue; fi
        for column in "${columns[@]}"; do
            if [ "$column" = g++:tuple ] && [ "$count" -gt 256 ]; then continue; fi
            compile "${column%%:*}" "$dir/${column#*:}-$count.cpp"
            if [ -z "$seconds" ]; then continue; fi
            figure compile "$count" "${title[$column]}, s" "$round" "$seconds"
            figure compile "$count" "${title[$column]}, MiB" "$round" "$mebibytes"
            if [ "$column" = g++:healthz ] && [ "$count" -eq 64 ]; then
                beyond=$seconds
                compile g++ "$dir/includes-64.cpp"
                figure compile "$count" "g++ beyond includes, s" "$round" "$(awk "BEGIN { print $beyond - $seconds }")"
            fi
        done
    done
    if [ "$quick" = 1 ]; then continue; fi
    for program in "the README's program:examples/readme.cpp" "idiomatic Beast server:benchmarks/serve/beast.cpp"; do
        compile g++ "${program#*:}"
        figure "first screen" "${program%%:*}" "g++, s" "$round" "$seconds"
        figure "first screen" "${program%%:*}" "g++, MiB" "$round" "$mebibytes"
    done
    for header in healthz.hpp \
        healthz/probers/{disk_space,file_age,process,memory,load,temperature,clock_sync,interface,mount_point,systemd_unit}.hpp \
        healthz/probers/{sqlite,odbc,mssql,tcp,dns,http,redis,mysql,postgres,grpc,mqtt}.hpp \
        healthz/asio/runner.hpp healthz/beast/{endpoint,server}.hpp; do
        echo "#include <$header>" >"$dir/header.cpp"
        compile g++ "$dir/header.cpp"
        [ -z "$seconds" ] || figure headers "$header" "g++, s" "$round" "$seconds"
        [ -z "$seconds" ] || figure headers "$header" "g++, MiB" "$round" "$mebibytes"
    done
done
