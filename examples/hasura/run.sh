#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/hasura/run.sh METADATA.json
#
# Installs what is missing, compiles a server of the sources that the metadata declares, and serves them until it is interrupted.
# METADATA.json: what `hasura metadata export -o json` prints, or the array of its sources.
#
#   HASURA_GRAPHQL_ADMIN_SECRET  the secret that a request must show; required, unless ALLOW_UNAUTHENTICATED is `true`
#   PORT, ADDRESS                where to listen (8080, 127.0.0.1)
#   CHECK_ALL                    seconds: checks the sources without health_check, too, so far apart (unset: leaves them out, as Hasura does)
#   BUILD                        where it is built (build/hasura)
#   ONLY_BUILD                   if set, prints the path of the server instead of starting it
set -euo pipefail
umask 077 # metadata may have passwords in it, and so have what it is compiled to, and the server
refuse() { echo "$*" >&2; exit 1; }
[ $# -eq 1 ] && [ -n "$1" ] || refuse "usage: examples/hasura/run.sh METADATA.json"
metadata=$(realpath -m -- "$1")
here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../..")
build=${BUILD:-$root/build/hasura}
all=()
if [ -n "${CHECK_ALL:-}" ]; then
    [[ $CHECK_ALL =~ ^[1-9][0-9]{0,5}$ ]] || refuse "CHECK_ALL must be a number of seconds from 1 to 999999"
    all=(--all)
fi
if [ -z "${ONLY_BUILD:-}" ] && [ -z "${HASURA_GRAPHQL_ADMIN_SECRET:-}" ] && [ "${ALLOW_UNAUTHENTICATED:-}" != true ]; then
    refuse "HASURA_GRAPHQL_ADMIN_SECRET is not set: set it, or ALLOW_UNAUTHENTICATED=true to answer everybody"
fi

source "$root/examples/common.sh"
install_missing g++ cmake ninja-build pkg-config libboost1.81-dev libpq-dev libssl-dev unixodbc-dev tdsodbc >&2

# One build at a time in a folder.
mkdir -p "$build"
build=$(realpath "$build")
exec {lock}>"$build/lock"
flock -n $lock || { echo "waiting for another run" >&2; flock $lock; }

if [ ! -x "$build/inspect" ] || [ -n "$(find "$root/include" "$here/inspect.cpp" -newer "$build/inspect" -print -quit)" ]; then
    echo "building" >&2
    g++ -std=c++20 -O1 -I "$root/include" "$here/inspect.cpp" -o "$build/inspect.new" || exit 1
    mv "$build/inspect.new" "$build/inspect"
fi
"$build/inspect" "$metadata" "${all[@]}" || exit 1

# What is compiled is a copy, so that it is what was inspected, in a folder for each text; a second run compiles nothing.
name=$({ cat "$metadata"; echo "${CHECK_ALL:-}"; } | sha256sum | cut -c1-16)
work=$build/$name
mkdir -p "$work"
chmod -R go= "$work" # also what another umask has left there
cmp -s "$metadata" "$work/metadata.json" || cp "$metadata" "$work/metadata.json"
"$build/inspect" "$work/metadata.json" "${all[@]}" || exit 1
# A folder that was moved is configured anew.
if [ -f "$work/CMakeCache.txt" ] && ! grep -qxF "CMAKE_CACHEFILE_DIR:INTERNAL=$work" "$work/CMakeCache.txt"; then
    rm -rf "$work/CMakeCache.txt" "$work/CMakeFiles"
fi
launcher=$(command -v ccache || true)
{
    cmake -S "$here" -B "$work" -G Ninja -DCMAKE_CXX_FLAGS=-O1 -DMETADATA="$work/metadata.json" -DCHECK_ALL="${CHECK_ALL:-}" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DHEALTHZ_BUILD_TESTS=OFF -DHEALTHZ_BUILD_EXAMPLES=OFF -DHEALTHZ_INSTALL=OFF &&
        { ninja -C "$work" -n server | grep -q "no work to do" || echo "compiling the sources of $1" >&3; } &&
        cmake --build "$work" --target server
} {lock}>&- 3>&2 >"$work/log.txt" 2>&1 || { cat "$work/log.txt" >&2; exit 1; }
exec {lock}>&-
if [ -n "${ONLY_BUILD:-}" ]; then echo "$work/server"; exit; fi
exec "$work/server"
