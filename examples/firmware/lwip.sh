# SPDX-License-Identifier: BSL-1.0
# lwIP's source, as Debian has it, in build/lwip/source: fetched once. Sourced by the scripts that compile it, in the top folder.
lwip=$PWD/build/lwip/source
lwip_version=2.1.3

# With apt's check of the signature; none of this machine's own lists is changed. Needs dpkg-dev.
fetch_lwip() {
    local options state=$PWD/build/lwip/apt
    if [ -e "$lwip/src/core/tcp.c" ]; then return; fi
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" >"$state/sources.list"
    options=(-q -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$state/lists"
        -o "Dir::Cache=$state" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$state" && apt-get "${options[@]}" source --download-only lwip)
    rm -rf "$lwip"
    dpkg-source --no-check -x "$state"/lwip_$lwip_version*.dsc "$lwip"
}
