#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/consumers/run.sh
#
# Builds and runs small projects that use the library in each way a user may: CMake's add_subdirectory and find_package, a
# Meson subproject, Meson with the installed library, and the compiler with pkg-config. libpq is hidden from them, which
# proves that only its prober needs it. Works under build/consumers. Environment: CXX, JOBS=2.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/consumers
passed=0

check() { # "WHAT" COMMAND...
    if "${@:2}" >"$work/log.txt" 2>&1; then
        echo "ok      $1"
        passed=$((passed + 1))
    else
        cat "$work/log.txt"
        printf 'FAILED  %s: %s\n%s passed, 1 failed\n' "$1" "${*:2}" "$passed"
        exit 1
    fi
}
not_said=99
says() { # "TEXT" COMMAND...: it succeeds, and its output has the text, in however many lines
    local status=0
    "${@:2}" >"$work/output.txt" 2>&1 || status=$?
    cat "$work/output.txt"
    tr -s ' \n' ' ' <"$work/output.txt" | grep -qF "$1" || return $not_said
    return $status
}
fails_with() { # "TEXT" COMMAND...: it fails, and says why
    local status=0
    says "$@" || status=$?
    [ "$status" -ne 0 ] && [ "$status" -ne $not_said ]
}
needs_no_library() { # NAME PROGRAM
    local dynamic
    dynamic=$(readelf -d "$2") && ! grep "NEEDED.*$1" <<<"$dynamic"
}
not_found() { ! find "$@" | grep .; } # [FIND'S ARGUMENTS]: there is no such file
programs() { # "WHAT" DIR PROGRAM...
    local program
    for program in "${@:3}"; do
        check "$1: $program runs" "$2/$program"
        check "$1: $program does not need libpq" needs_no_library libpq "$2/$program"
    done
    check "$1: core does not need libsqlite3" needs_no_library libsqlite3 "$2/core"
}

rm -rf "$work"
mkdir -p "$work/pkgconfig"
cd "$work"
export CMAKE_GENERATOR=Ninja CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-2}
hide_libpq=-DCMAKE_DISABLE_FIND_PACKAGE_PostgreSQL=ON
all_packages=$(pkg-config --variable=pc_path pkg-config)
ln -s "$(pkg-config --variable=pcfiledir sqlite3)/sqlite3.pc" pkgconfig/
export PKG_CONFIG_LIBDIR=$work/pkgconfig

what="add_subdirectory"
check "$what: configures, and says what is missing" says \
    "healthz::postgres does not exist in this build: it needs PostgreSQL, which was not found" \
    cmake -S "$here/add_subdirectory" -B add_subdirectory $hide_libpq
check "$what: builds" cmake --build add_subdirectory
programs "$what" add_subdirectory core sqlite hasura conformance

# Headers alone, as after unpacking Boost's archive, and no Boost that CMake knows of: so it is from CMake 3.30 on.
what="bare tree of Boost"
boost=$(echo '#include <boost/version.hpp>' | "${CXX:-c++}" -E -x c++ - | sed -nE 's/^# 1 "(.*)\/version.hpp".*/\1/p')
mkdir -p bare old/boost openssl_1/openssl
ln -s "$boost" bare/boost
echo '#define BOOST_VERSION 108000' >old/boost/version.hpp
echo '# define OPENSSL_VERSION_NUMBER 0x1010117fL' >openssl_1/openssl/opensslv.h
no_package=-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
check "$what: configures with BOOST_ROOT" cmake -S "$here/add_subdirectory" -B bare_boost $hide_libpq $no_package -DBOOST_ROOT="$work/bare"
check "$what: it is that tree" grep -q "BoostHeaders_INCLUDE_DIR:PATH=$work/bare" bare_boost/CMakeCache.txt
check "$what: builds" cmake --build bare_boost --target core
programs "$what" bare_boost core
check "$what: configures with BOOST_ROOT in the environment" \
    env BOOST_ROOT="$work/bare" cmake -S "$here/add_subdirectory" -B bare_boost_env $hide_libpq $no_package
check "$what: it is that tree" grep -q "BoostHeaders_INCLUDE_DIR:PATH=$work/bare" bare_boost_env/CMakeCache.txt
check "$what: configures where the compiler finds it" cmake -S "$here/add_subdirectory" -B bare_boost_found $hide_libpq $no_package
check "$what: one that is too old is an error" fails_with 'Found unsuitable version "1.80", but required is at least "1.81"' \
    cmake -S "$here/add_subdirectory" -B old_boost $hide_libpq -DBOOST_ROOT="$work/old"
check "$what: an OpenSSL that is too old is none" says \
    "healthz::http does not exist in this build: it needs OpenSSL 3, which was not found" \
    cmake -S "$here/add_subdirectory" -B old_openssl $hide_libpq -DOPENSSL_INCLUDE_DIR="$work/openssl_1"

# Installed to one place, then moved to another: nothing in it knows where it was.
what="find_package"
check "CMake configures for installing" cmake -S "$root" -B cmake_install $hide_libpq \
    -DHEALTHZ_BUILD_TESTS=OFF -DHEALTHZ_BUILD_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX="$work/elsewhere"
check "CMake installs" cmake --install cmake_install
mv elsewhere from_cmake
find_healthz=(cmake -S "$here/find_package" -B find_package "-DCMAKE_PREFIX_PATH=$work/from_cmake")
check "$what: configures" "${find_healthz[@]}" $hide_libpq
check "$what: builds" cmake --build find_package
programs "$what" find_package core sqlite hasura beast
check "$what: a bare tree of Boost serves the installed library too" \
    cmake -S "$here/find_package" -B found_bare "-DCMAKE_PREFIX_PATH=$work/from_cmake" $hide_libpq $no_package -DBOOST_ROOT="$work/bare"
check "$what: a component that lacks its library is an error" fails_with \
    "the component 'postgres' needs PostgreSQL, which was not found" \
    "${find_healthz[@]}" $hide_libpq -DEXTRA_COMPONENT=postgres
check "$what: an unknown component is an error" fails_with "there is no component 'nonsense'" \
    "${find_healthz[@]}" $hide_libpq -DEXTRA_COMPONENT=nonsense
check "$what: with libpq there, the same installation has postgres" \
    "${find_healthz[@]}" -DCMAKE_DISABLE_FIND_PACKAGE_PostgreSQL=OFF -DEXTRA_COMPONENT=postgres
check "$what: another minor version is an error" fails_with 'compatible with requested version "0.2"' \
    cmake -S "$here/find_package" -B other_version "-DCMAKE_PREFIX_PATH=$work/from_cmake" -DVERSION=0.2

what="meson subproject"
cp -r "$here" source
mkdir source/meson_subproject/subprojects
ln -s "$root" source/meson_subproject/subprojects/healthz
check "$what: configures, and says what is missing" says \
    "healthz-postgres does not exist in this build: libpq was not found" \
    meson setup meson_subproject source/meson_subproject
check "$what: builds" meson compile -C meson_subproject -j "${JOBS:-2}"
programs "$what" meson_subproject core sqlite hasura beast

what="installed by meson"
check "Meson configures for installing" meson setup meson_install "$root" --prefix "$work/elsewhere"
check "Meson installs" meson install -C meson_install
mv elsewhere from_meson
export PKG_CONFIG_PATH=$work/from_meson/share/pkgconfig
check "$what: configures" meson setup meson_installed source/meson_installed
check "$what: builds" meson compile -C meson_installed -j "${JOBS:-2}"
programs "$what" meson_installed core sqlite hasura
check "Meson and CMake install the same headers" diff -r from_cmake/include from_meson/include
check "they install nothing but headers there" not_found from_cmake/include -type f ! -name '*.hpp'

# Both installations' pkg-config files, and the compiler alone. CMake's come last, since they are what distributions ship.
compile() { # PROGRAM PACKAGE...
    # shellcheck disable=SC2046  # many flags
    ccache "${CXX:-c++}" -std=c++20 $(pkg-config --cflags "${@:2}") -c "$here/$1.cpp" -o "$1.o" &&
        "${CXX:-c++}" "$1.o" $(pkg-config --libs "${@:2}") -o "$1"
}
for installed in from_meson from_cmake; do
    what="pkg-config, $installed"
    export PKG_CONFIG_PATH=$work/$installed/share/pkgconfig
    check "$what: core compiles" compile core healthz
    check "$what: sqlite compiles" compile sqlite healthz-sqlite
    programs "$what" . core sqlite
    for package in healthz healthz-asio healthz-sqlite healthz-tcp healthz-dns healthz-json healthz-hasura healthz-beast; do
        check "$what: $package is valid" pkg-config --print-errors --cflags --libs "$package"
    done
    check "$what: healthz-postgres without libpq is an error" fails_with "libpq" pkg-config --print-errors --libs healthz-postgres
    check "$what: healthz-mssql without unixODBC is an error" fails_with "odbc" pkg-config --print-errors --libs healthz-mssql
    printf 'Name: x\nDescription: x\nVersion: 1.1.1\n' >pkgconfig/openssl.pc
    check "$what: healthz-http with OpenSSL 1.1 is an error" fails_with "openssl >= 3" pkg-config --print-errors --libs healthz-http
    rm pkgconfig/openssl.pc
    check "$what: healthz-http with OpenSSL 3" \
        env PKG_CONFIG_LIBDIR="$all_packages" pkg-config --print-errors --libs healthz-http
    check "$what: healthz-postgres with libpq" \
        env PKG_CONFIG_LIBDIR="$all_packages" pkg-config --print-errors --libs healthz-postgres
    check "$what: healthz-mssql with unixODBC" \
        env PKG_CONFIG_LIBDIR="$all_packages" pkg-config --print-errors --libs healthz-mssql
done

echo "$passed passed, 0 failed"
