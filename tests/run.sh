#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/run.sh [--all | STEP...]
#
# Installs what is missing, builds, and runs the tests; with --all those with sanitizers, the fuzzers, the second compiler and the benchmarks, too;
# with names, only these steps, in the given order:
#
#   packages      install the missing Debian packages; this needs root or sudo, and so does `benchmarks`, for its peers
#   names         the layout of the code, the public names of the headers, and what no call of ours may find
#   core asio beast probers
#                 build and run one test program
#   lwip          the server of a device, on lwIP itself, whose source is fetched: in simulated time, on a wire that loses and reorders
#   simulation    ten simulated years of 50 sources in monitors, and in a runner, beside a model; it finds planted bugs
#   views         metrics, probes and the page are taken as they should be by Prometheus, HAProxy, Chromium and others
#   hasura        metadata becomes a declaration; the sidecar serves 40 sources and refuses what is wrong
#   grpc          the prober of gRPC on a real server, with the faults, and the health service
#   systemd       a server under a real systemd, where this machine lets one be process 1 of a namespace
#   soak          ten seconds of faults of every kind beside clients who do their worst, and 1,500 slow connections
#   tds           the SQL Server responder of the tests serves clients that no one here wrote
#   headers       all headers together, linked twice
#   compile_fail  what must not compile does not, and g++ says why
#   firmware      the core for a microcontroller: cross-compiled, inspected, run, and within its budgets of flash and RAM
#   consumers     small projects that use the library through CMake, Meson and pkg-config
#   examples      build and run the examples
#   mounts        one black-box suite passes against our server and those of others that show the same site
#   readme        the snippets, figures and links of all pages, and the README's first screen, are true
#
# Only with --all, or where named:
#
#   asan          all test programs, with clang and the address and undefined-behaviour sanitizers
#   tsan          the programs with threads, with clang and the thread sanitizer, and with NDEBUG: without the assertions of the
#                 libraries below, which all other builds have
#   clang         clang says why, too, and takes each header alone
#   analysis      clang-tidy finds nothing, and each header includes what it names
#   fuzz          what reads texts of others keeps its promises for a minute's worth of inputs, the same each time
#   armhf         the tests of the core, the runner and the server, and the demo, for 32-bit ARM Linux, emulated
#   benchmarks    the quick ones: no ratio is out of its budget by more than half
#
# Only where named:
#
#   boost         every header, and the tests of the parsers and of HTTP, with the Boost in BOOST_ROOT: another version's headers
#   compilers     every header, and the tests of the core, the runner and the server, with each other compiler that Debian has, with C++23,
#                 with libc++, without RTTI, and with the Catch2 3 whose sources lie in CATCH2_ROOT; what cannot be had is told
#
# Everything is built under build/. What mostly waits runs while the next step builds; what is strict about time compares with a bare
# timer of its own. The first failure stops the run. JOBS (2) sets how many compilers run at once.
set -euo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/.."
source examples/common.sh
source examples/firmware/lwip.sh
jobs=${JOBS:-2}
steps=(packages names core lwip simulation asio beast probers grpc tds compile_fail headers views systemd soak firmware consumers examples mounts
    hasura readme)
more_steps=(asan tsan clang analysis fuzz armhf benchmarks)
packages=(
    g++ clang clang-format clang-tidy python3-clang libclang-rt-dev cmake ninja-build meson pkg-config ccache binutils catch2 dpkg-dev
    libboost1.81-dev valgrind curl iproute2
    libsqlite3-dev sqlite3 libpq-dev postgresql-15 pgbouncer libssl-dev openssl nginx-light redis-server libmariadb-dev mariadb-server
    libmosquitto-dev mosquitto mosquitto-clients libgrpc++-dev unixodbc-dev unixodbc tdsodbc freetds-bin odbc-postgresql odbc-mariadb
    prometheus prometheus-alertmanager prometheus-cpp-dev python3-prometheus-client python3-yaml systemd libsystemd-dev dbus chromium haproxy jq
    libcpp-httplib-dev libmicrohttpd-dev libcivetweb-dev libpoco-dev libpistache-dev librestinio-dev libhttp-parser-dev libfmt-dev
    qt6-httpserver-dev qt6-websockets-dev
    gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm
    g++-arm-linux-gnueabihf qemu-user)

step_packages() {
    command -v npm >/dev/null || packages+=(nodejs npm)
    install_missing "${packages[@]}"
}

# build DIR "TARGET..." [CMAKE-OPTION...]
build() {
    local dir=build/$1 targets=$2
    shift 2
    export CCACHE_SLOPPINESS=pch_defines,time_macros # else it does not know what is precompiled
    cmake -S . -B "$dir" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_FLAGS=-Og "$@"
    # shellcheck disable=SC2086  # several targets
    cmake --build "$dir" -j "$jobs" --target $targets
}

# run_tests DIR HOW_MANY_AT_ONCE NAME...
prefix=()
run_tests() {
    local dir=build/$1 at_once=$2 names
    shift 2
    names=$(IFS='|'; echo "$*")
    "${prefix[@]}" ctest --test-dir "$dir" -j "$at_once" --verbose --timeout 1500 --no-tests=error -R "^($names)\$"
}

# A step does what keeps all processors busy; in `tests_` of its name is what does not, and runs beside the next steps.
step_names() { tests/format.sh && tests/hostile_names.sh && tests/public_names.sh; }
step_core() { build gcc test_core && run_tests gcc 1 core; }
step_lwip() { fetch_lwip && build gcc test_lwip && run_tests gcc 1 lwip; }
step_simulation() { build gcc test_simulation; }
tests_simulation() { run_tests gcc 1 simulation && tests/simulation/planted.sh; }
step_asio() { build gcc test_asio; }
tests_asio() { run_tests gcc 1 asio; }
step_probers() { build gcc test_probers; }
tests_probers() { run_tests gcc 3 probers "probers_.*"; }
step_grpc() { build gcc test_grpc; }
tests_grpc() { GRPC_VERBOSITY=NONE run_tests gcc 1 grpc; } # else it writes what the faults are
step_beast() { build gcc test_beast; }
tests_beast() { run_tests gcc 1 beast; }
step_headers() { fetch_lwip && build gcc test_headers && run_tests gcc 1 headers; }
step_tds() { build gcc tds_responder && tests/tds/run.sh build/gcc/tests/tds_responder; }
step_views() { build gcc views_server; }
tests_views() { tests/views/run.sh build/gcc/tests/views_server; }
step_systemd() { build gcc "systemd_server systemd_units"; }
tests_systemd() { tests/systemd/run.sh build/gcc/tests/systemd_{server,units}; }
step_soak() { build gcc "soak_server soak_clock"; }
tests_soak() { tests/soak/run.sh 0.17 build/gcc/tests/soak_server build/gcc/tests/libsoak_clock.so; }
step_compile_fail() { COMPILERS=g++ JOBS=$jobs tests/compile_fail/run.sh; }
step_clang() {
    COMPILERS=clang++ JOBS=$jobs tests/compile_fail/run.sh
    fetch_lwip
    build clang headers_alone -DCMAKE_CXX_COMPILER=clang++
}

step_analysis() { fetch_lwip && JOBS=$jobs tests/analysis/run.sh; }

step_fuzz() { JOBS=$jobs tests/fuzz/run.sh --minute; }

step_armhf() {
    tests/armhf/sysroot.sh
    build armhf/build "test_core test_asio test_beast test_headers demo" -DCMAKE_TOOLCHAIN_FILE=tests/armhf/toolchain.cmake \
        -DCMAKE_CXX_FLAGS="-Og -Wno-psabi -D_FILE_OFFSET_BITS=64" # it is no news that other compilers passed some things otherwise
}
tests_armhf() { tests/armhf/run.sh build/armhf/build; }

step_asan() {
    # Not optimised: with the checks in it, nine tenths of a compiler's time would go there; and by clang in half of the time of g++.
    fetch_lwip
    build asan "test_core test_lwip test_asio test_probers test_beast test_hasura test_grpc" -DCMAKE_CXX_COMPILER=clang++ \
        -DCMAKE_C_COMPILER=clang -DHEALTHZ_SANITIZE=address -DHEALTHZ_BUILD_EXAMPLES=OFF -DCMAKE_CXX_FLAGS="-O0 -g1"
}
tests_asan() { GRPC_VERBOSITY=NONE run_tests asan 4 core lwip asio "probers.*" beast hasura grpc; }

step_tsan() {
    build tsan "test_asio test_probers test_beast" -DCMAKE_CXX_COMPILER=clang++ \
        -DHEALTHZ_SANITIZE=thread -DHEALTHZ_BUILD_EXAMPLES=OFF -DCMAKE_CXX_FLAGS="-O0 -g1 -DNDEBUG"
}
tests_tsan() {
    # The thread sanitizer does not start where the kernel randomises many bits of addresses.
    if setarch -R true 2>/dev/null; then prefix=(setarch -R); fi
    export TSAN_OPTIONS=die_after_fork=0 # where a child starts threads
    run_tests tsan 4 asio "probers.*" beast
}

step_boost() {
    local compiler
    for compiler in g++ clang++; do
        build "boost_$compiler" test_headers -DCMAKE_CXX_COMPILER=$compiler -DHEALTHZ_BUILD_EXAMPLES=OFF \
            -DBOOST_ROOT="${BOOST_ROOT:?names the tree of headers}" -DCMAKE_CXX_FLAGS="-Og -DBOOST_ASIO_NO_DEPRECATED"
        run_tests "boost_$compiler" 1 headers
    done
    build boost_g++ "test_beast test_probers" -DCMAKE_CXX_FLAGS="-Og -DBOOST_ASIO_NO_DEPRECATED"
    run_tests boost_g++ 1 beast
    build/boost_g++/tests/test_probers "http*,reply reader*"
}

# variant NAME PACKAGE "FLAG..." [CMAKE-OPTION...] : all headers and the cheap tests, if Debian has the package
variant() {
    local name=$1 package=$2 flags=$3
    shift 3
    if [ -z "$(apt-cache madison "$package" 2>/dev/null)" ]; then # `show` takes the name for a pattern
        echo "not run: $name, for Debian has no $package here"
        return
    fi
    install_missing "$package"
    build "compilers/$name" "test_headers test_core test_asio test_beast" -DHEALTHZ_BUILD_EXAMPLES=OFF \
        -DCMAKE_CXX_FLAGS="-O0 -g0 -DBOOST_ASIO_NO_DEPRECATED $flags" "$@"
    run_tests "compilers/$name" 1 headers core asio beast
}

step_compilers() {
    local version newest=14
    fetch_lwip
    for version in 13 14 15; do variant g++-$version g++-$version "" -DCMAKE_CXX_COMPILER=g++-$version; done
    for version in 15 16 17 18 19 20; do
        variant clang-$version clang-$version "" -DCMAKE_CXX_COMPILER=clang++-$version
        ! command -v clang++-$version >/dev/null || newest=$version
    done
    variant g++-c++23 g++ "" -DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_STANDARD=23
    variant clang-c++23 clang-$newest "" -DCMAKE_CXX_COMPILER=clang++-$newest -DCMAKE_CXX_STANDARD=23
    # Asio would get its memory elsewhere than where the tests can make it scarce. prometheus-cpp is built for the other library.
    variant libc++ libc++-$newest-dev "-stdlib=libc++ -DBOOST_ASIO_HAS_STD_ALIGNED_ALLOC" -DCMAKE_CXX_COMPILER=clang++-$newest \
        -DCMAKE_DISABLE_FIND_PACKAGE_prometheus-cpp=ON
    variant no-rtti g++ -fno-rtti -DCMAKE_CXX_COMPILER=g++
    if [ -n "${CATCH2_ROOT:-}" ]; then
        cmake -S "$CATCH2_ROOT" -B build/catch2 -G Ninja -DCMAKE_CXX_STANDARD=20 -DBUILD_TESTING=OFF -DCATCH_INSTALL_DOCS=OFF \
            -DCMAKE_UNITY_BUILD=ON -DCMAKE_INSTALL_PREFIX="$PWD/build/catch2/installed"
        cmake --build build/catch2 -j "$jobs" --target install
        variant catch2-3 g++ "" -DCMAKE_CXX_COMPILER=g++ -DCatch2_ROOT="$PWD/build/catch2/installed"
    else
        echo "not run: Catch2 3, for CATCH2_ROOT names no tree of its sources"
    fi
    COMPILERS=clang++-$newest JOBS=$jobs tests/compile_fail/run.sh
}

step_firmware() { echo "beside the next steps"; }
tests_firmware() { tests/firmware/run.sh && tests/firmware/http.sh && benchmarks/size/run.sh --check && benchmarks/size/wire.sh --check; } # one compiler after another
step_consumers() { tests/consumers/run.sh; }
step_examples() {
    build gcc examples
    tests/examples/run.sh build/gcc/examples
}
step_hasura() { build gcc test_hasura && run_tests gcc 1 hasura; }
tests_hasura() { tests/hasura/run.sh; }
step_mounts() { build gcc "demo mounts"; }
tests_mounts() { tests/blackbox/run.sh build/gcc/examples; }
step_benchmarks() { benchmarks/run.sh --quick; }
step_readme() { tests/readme/run.sh; }

case "${1:-}" in
--help | -h)
    sed -n '3,/^set /s/^# \{0,1\}//p' "$self"
    exit ;;
--step | --tests) # one part of a step in a shell of its own, which ends at its first error
    "${1#--}_$2"
    exit ;;
--all) set -- "${steps[@]}" "${more_steps[@]}" ;;
'') set -- "${steps[@]}" ;;
esac

for step in "$@"; do
    declare -F "step_$step" >/dev/null || { echo "tests/run.sh: there is no step '$step'; see --help" >&2; exit 2; }
done

mkdir -p build/log
table="" passed=0 start=$SECONDS
declare -A began
pass() { # STEP
    # What the step counted (Catch2's test cases, the counts of our own scripts), or one for the step itself.
    local count log=build/log/$1.txt took=$((SECONDS - began[$1]))
    count=$(sed -nE 's/.*All tests passed \(.* in ([0-9]+) test cases?\).*/\1/p; s/^([0-9]+: )?([0-9]+) passed, 0 failed$/\2/p' "$log" |
        awk '{ sum += $1 } END { print sum ? sum : 1 }')
    passed=$((passed + count))
    table+=$(printf '%-14s %5d s %6d passed' "$1" "$took" "$count")$'\n'
    echo "=== $1: passed in $took s"
}
fail() { # STEP
    local log=build/log/$1.txt took=$((SECONDS - began[$1]))
    echo # what failed once more, since much may have been printed after it
    grep -h -A 8 -E '(^|: )FAILED|: (fatal |runtime )?error:|^CMake Error|[*]{3}(Timeout|Exception)|(ERROR|WARNING): [A-Za-z]+Sanitizer' \
        "$log" | head -n 60 || true
    printf '=== %s: FAILED after %d s, see above or %s\n\n%s%s\n' \
        "$1" "$took" "$PWD/$log" "$table" "$(printf '%-14s %5d s FAILED' "$1" "$took")"
    echo "$passed passed, 1 failed"
    exit 1
}

# The steps whose tests run beside the next ones, the oldest first.
beside=() pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
await() { # COUNT: until no more than so many are left
    local step pid
    while [ ${#beside[@]} -gt "$1" ]; do
        step=${beside[0]} pid=${pids[0]} beside=("${beside[@]:1}") pids=("${pids[@]:1}")
        wait "$pid" || { cat "build/log/$step.txt"; fail "$step"; }
        pass "$step"
    done
}

for step in "$@"; do
    log=build/log/$step.txt
    if [ "$step" = benchmarks ]; then await 0; fi # nothing beside what measures
    began[$step]=$SECONDS
    echo "=== $step"
    "$self" --step "$step" </dev/null 2>&1 | tee "$log" || fail "$step"
    if declare -F "tests_$step" >/dev/null; then
        case $step in
        asan | tsan) await 0 ;; # of which one is enough
        *) await 1 ;;
        esac
        "$self" --tests "$step" </dev/null >>"$log" 2>&1 &
        beside+=("$step") pids+=($!)
    else
        pass "$step"
    fi
done
await 0
printf '\n%s%-14s %5d s\n' "$table" total $((SECONDS - start))
echo "$passed passed, 0 failed"
