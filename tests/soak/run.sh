#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/soak/run.sh MINUTES [SERVER CLOCK [SEED]]
#
# Soaks the program SERVER (soak/server.cpp), with the clock of CLOCK (libsoak_clock.so): for so many minutes real servers are killed, stopped, restarted,
# cut off, given bad certificates, a disk is filled, the clock is set, and clients do their worst, while soak.py judges all that is said of it. Then
# slow_clients.py holds 1,500 slow connections. SEED repeats the faults of a run that has printed it. All of it has a network, processes and mounts of
# its own. Needs root; where this may not be, it says so, and passes. Works under build/soak.
set -euo pipefail
self=$(realpath "$0")
here=$(dirname "$self")

if [ "$1" != --inside ]; then
    not_run() { echo "not run: $*"; echo "0 passed, 0 failed"; exit 0; }
    [ "$(id -u)" -eq 0 ] || not_run "this needs root"
    unshare --net --mount --pid --fork --kill-child --mount-proc ip link add one type veth peer name other 2>/dev/null || not_run "no namespaces here"
    work=$here/../../build/soak
    mkdir -p "$work"
    chmod 755 "$work"
    exec unshare --net --mount --pid --fork --kill-child --mount-proc bash "$self" --inside "$(realpath "$work")" "$@" </dev/null
fi

built=$here/../../build/gcc/tests # by tests/run.sh soak
work=$2 minutes=$3 server=$(realpath "${4:-$built/soak_server}") clock=$(realpath "${5:-$built/libsoak_clock.so}") seed=${6:-$RANDOM}
cd "$work"
rm -rf run
mkdir -p run/volume
cd run

# The servers live in a network of their own. A server that loses its address there is cut off: what is sent to it is dropped in silence.
mount -t tmpfs none /run
ip link set lo up
ip netns add servers
ip link add client type veth peer name servers netns servers
ip addr add 10.9.0.1/24 dev client
ip link set client up
there() { ip -n servers "$@"; }
there link set lo up
there link set servers up
there addr add 10.9.0.2/32 dev servers # with its last address an interface would lose its routes
there route add 10.9.0.0/24 dev servers
mac=$(there link show servers | sed -n 's,.*link/ether \([^ ]*\).*,\1,p')
for last in 11 12 13 14 15; do
    there addr add 10.9.0.$last/32 dev servers
    ip neigh replace 10.9.0.$last lladdr "$mac" dev client nud permanent # else what is told of a cut depends on when it was last asked who it is
done
mount -t tmpfs -o size=12m,mode=755 none volume
netem=no
if tc qdisc add dev client root netem 2>/dev/null; then
    tc qdisc del dev client root
    netem=yes
else
    echo "not run: loss and delay, since this kernel has no netem"
fi

export PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 "$here/observe_test.py"
/usr/bin/python3 "$here/soak.py" "$minutes" "$server" "$clock" "$seed" "$netem"
/usr/bin/python3 "$here/slow_clients.py" "$server" "$clock"
