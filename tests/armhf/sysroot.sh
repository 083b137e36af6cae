#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/armhf/sysroot.sh
#
# Unpacks Debian's libraries for 32-bit ARM into build/armhf/sysroot, for a cross compiler and for QEMU. Nothing is installed, and apt's
# settings and lists are those of a folder beside it: this machine knows of no second architecture afterwards.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
packages=(catch2 libssl-dev libsqlite3-dev libpq-dev libmariadb-dev unixodbc-dev libsystemd-dev libgrpc++-dev libmosquitto-dev prometheus-cpp-dev)
out=$PWD/build/armhf/sysroot apt=$PWD/build/armhf/apt
[ "$(cat "$out/complete" 2>/dev/null)" != "${packages[*]}" ] || exit 0
rm -rf "$out" "$apt"
mkdir -p "$out/usr/include" "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status" # nothing is installed
cat >"$apt/apt.conf" <<END
APT::Architecture "armhf";
APT::Architectures { "armhf"; };
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Debug::NoLocking "true";
END
export APT_CONFIG=$apt/apt.conf
apt-get update -qq || echo "some lists could not be had; the others must do" >&2
apt-get install -qq -y --download-only "${packages[@]}" >/dev/null
for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$out"; done
find "$out" -type l -lname '/*' | while read -r link; do ln -sfr "$out$(readlink "$link")" "$link"; done

# Headers that are the same for all machines, and installed on this one.
ln -s "${BOOST_INCLUDEDIR:-/usr/include}/boost" "$out/usr/include/"
rm -rf "$apt/cache"
echo "${packages[*]}" >"$out/complete"
