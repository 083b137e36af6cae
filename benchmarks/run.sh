#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: benchmarks/run.sh [--quick] [--json FILE] [--readme] [WHAT...]
#
# Installs what is needed (Debian packages), builds it optimised, measures this library beside its peers and beside what the
# machine allows, and writes build/benchmarks/report.md with a plot a table. WHAT is one or more of write, views, serve,
# tls, probe, compile and size; all of them take under 20 minutes on 2 cores.
#
#   --quick      about two minutes, fewer peers; fails where a ratio falls out of its budget by more than half
#   --json FILE  every ratio under its key, with the figures that it was made from
#   --readme     puts the report and its plots into benchmarks/README.md, and ten of its figures into README.md
#
# Whatever is compared is measured in turns, A B A B, ROUNDS (5) times; a ratio is the median of the rounds' ratios.
source "$(dirname "$0")/common.sh"
source examples/common.sh
json="" readme=0 parts=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --json) json=$(realpath -m "$2"); shift ;;
    --readme) readme=1 ;;
    write | views | serve | tls | probe | compile | size) parts+=("$1") ;;
    *) sed -n '3,/^source /s/^# \{0,1\}//p' "$0" | head -n -1; exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(write views serve tls probe compile size)
export QUICK=$quick

packages=(
    g++ clang cmake ninja-build ccache pkg-config binutils time gnuplot-nox libboost1.81-dev libbenchmark-dev prometheus-cpp-dev openssl
    nlohmann-json3-dev rapidjson-dev libfmt-dev wrk nginx-light haproxy prometheus-blackbox-exporter curl
    postgresql-15 mariadb-server redis-server unixodbc odbc-postgresql odbc-mariadb libgrpc++-dev
    libsystemd-dev libmosquitto-dev libpq-dev libsqlite3-dev libmariadb-dev unixodbc-dev libssl-dev
    gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib)
targets=(bench_write bench_views serve_ours serve_asking serve_epoll probe_checks probe_lateness probe_acceptor probe_grpc)
if [ "$quick" = 0 ]; then
    packages+=(librestinio-dev libmicrohttpd-dev libcpp-httplib-dev libcivetweb-dev libpoco-dev libpistache-dev qt6-httpserver-dev qt6-websockets-dev
        sqlite3 slowhttptest)
    targets+=(serve_visitor)
    for peer in beast restinio microhttpd httplib civetweb poco pistache qt; do targets+=(serve_$peer mount_$peer); done
fi
install_missing "${packages[@]}"

echo "=== build"
cmake -S . -B "$out/cmake" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache \
    -DHEALTHZ_BUILD_TESTS=OFF -DHEALTHZ_BUILD_EXAMPLES=OFF -DHEALTHZ_BUILD_BENCHMARKS=ON >"$out/build.log"
cmake --build "$out/cmake" -j "${JOBS:-2}" --target "${targets[@]}" >>"$out/build.log" || { tail -50 "$out/build.log" >&2; exit 1; }

rm -f "$out"/{figures,plots}.tsv "$out"/*.dat
for part in "${parts[@]}"; do
    echo "=== $part"
    began=$SECONDS
    "benchmarks/$part/measure.sh"
    echo "=== $part: $((SECONDS - began)) s"
done

processor=$(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)
machine="$processor, $(nproc) cores, Linux $(uname -r | cut -d. -f1,2), $(g++ --version | head -1), -O2; medians of $rounds rounds"
status=0
awk -f benchmarks/report.awk -v out="$out" -v quick="$quick" -v machine="$machine" benchmarks/budgets.tsv "$figures" || status=$?
benchmarks/plots.sh
[ -z "$json" ] || cp "$out/report.json" "$json"
if [ "$readme" = 1 ]; then
    ten=$(awk -f benchmarks/ten_figures.awk benchmarks/ten_figures.tsv "$out/report.md") # nothing is written where it lacks a figure
    rm -rf benchmarks/plots
    cp -r "$out/plots" benchmarks/
    sed '1d; s/^#/##/' "$out/report.md" | benchmarks/splice.sh benchmarks/README.md "benchmarks/run.sh --readme"
    benchmarks/splice.sh README.md "benchmarks/run.sh --readme" <<<"$ten"
fi
cat "$out/report.md"
exit "$status"
