#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/systemd/run.sh SERVER UNITS
#
# Runs the program SERVER (systemd/server.cpp) under a systemd of its own, which is process 1 of a namespace, with a real PostgreSQL beside it:
# readiness, the status line, reload, the watchdog, the end, and sockets that systemd holds while the program starts again. Then UNITS
# (systemd/units.cpp) asks that systemd for units in each state. Needs root, and a kernel that lets it mount and make control groups: where it
# does not, this says so, and passes. Works under build/systemd.
set -euo pipefail
self=$(realpath "$0")

# --- in the namespaces: the control groups of systemd, in one of our own, and then systemd itself

# Calls `$2 FOLDER` for the control group NAME of each hierarchy that systemd uses, mounted where only this namespace sees it: one below our own.
in_each_hierarchy() { # NAME FUNCTION
    local id hierarchy path options
    mkdir -p groups
    mount -t tmpfs none groups
    while IFS=: read -r id hierarchy path; do
        case $hierarchy in
        '') options=(-t cgroup2) ;;
        name=systemd | *cpu | *cpuacct | blkio | memory | devices | pids) options=(-t cgroup -o "$hierarchy") ;;
        *) continue ;;
        esac
        mkdir "groups/$id"
        mount "${options[@]}" none "groups/$id"
        "$2" "groups/$id$path/$1"
    done < <(grep -v ':name=systemd:' /proc/self/cgroup; grep ':name=systemd:' /proc/self/cgroup || echo 0x:name=systemd:/)
}
enter() { mkdir "$1" && echo $$ >"$1/cgroup.procs"; }
remove() {
    for _ in $(seq 100); do
        find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        if [ ! -d "$1" ]; then return; fi
        sleep 0.1
    done
    echo "the control group $1 is still there" >&2
    exit 1
}
case "${1:-}" in
--group) # NAME COMMAND...: runs it in control groups of that name
    in_each_hierarchy "$2" enter
    exec "${@:3}"
    ;;
--end-group) # NAME: removes them, once their processes have ended
    in_each_hierarchy "$2" remove
    exit
    ;;
--systemd) # UNITS: becomes systemd
    mount -t tmpfs none /run
    mount -t tmpfs none /sys/fs/cgroup
    mkdir -p /sys/fs/cgroup/systemd /run/systemd/system
    mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd
    cp "$2"/* /run/systemd/system
    exec env -i container=lxc PATH="$PATH" /lib/systemd/systemd --system --unit=ops.target --log-target=console --log-level=notice
    ;;
esac

server=$(realpath "$1") units=$(realpath "$2")
work=$(dirname "$self")/../../build/systemd
rm -rf "$work"
mkdir -p "$work/states" "$work/units"
cd "$work"
work=$PWD
passed=0 group=healthz-test-$$ unshared='' init='' postgres_runs=''

not_run() { echo "not run: $*"; echo "$passed passed, 0 failed"; exit 0; }
fail() { echo "FAILED  $*"; tail -n 20 log.txt output.txt 2>/dev/null || true; echo "$passed passed, 1 failed"; exit 1; }
eventually() { # COMMAND...: it succeeds within a minute
    local end=$((SECONDS + 60))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
check() { # "WHAT" COMMAND...: it succeeds, now or within a minute
    eventually "${@:2}" || fail "$1: $(show shop)"
    echo "ok      $1"
    passed=$((passed + 1))
}
inside() { nsenter -t "$init" -m -p -- "$@"; }
property() { inside systemctl show -p "$2" --value "$1" 2>/dev/null; } # UNIT NAME
show() { inside systemctl show -p ActiveState,SubState,Result,NRestarts,StatusText "$1" 2>&1 | tr '\n' ' '; }
is() { [ "$(property "$1" "$2")" = "$3" ]; }        # UNIT NAME VALUE
is_like() { [[ $(property "$1" "$2") == $3 ]]; }    # UNIT NAME PATTERN
free_port() {
    local port
    while port=$(shuf -i 20000-32000 -n 1); do
        if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then echo "$port"; return; fi
    done
}
as_postgres() { runuser -u postgres -- "$@"; }
pg() { as_postgres /usr/lib/postgresql/15/bin/"$1" -D "$work/database" "${@:2}" </dev/null >>postgres.txt 2>&1; }
start_database() { pg pg_ctl -w -l "$work/database/log" -o "-p $postgres_port -k $work/database -c listen_addresses=127.0.0.1" start; }

clean() {
    [ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true # and with it all of its namespace
    [ -z "$unshared" ] || wait "$unshared" 2>/dev/null || true
    [ -z "$postgres_runs" ] || pg pg_ctl -w -m immediate stop || true
    if [ -n "$unshared" ]; then unshare --mount bash "$self" --end-group "$group" || true; fi
}
trap clean EXIT

# --- what this machine allows

[ "$(id -u)" -eq 0 ] || not_run "this needs root"
[ -x /lib/systemd/systemd ] || not_run "there is no systemd"
unshare --mount bash "$self" --group "$group" true 2>refused.txt || not_run "no control groups here: $(head -n 1 refused.txt)"
unshare --mount bash "$self" --end-group "$group"
unshare --pid --fork --kill-child --mount --cgroup --ipc --uts --mount-proc true 2>refused.txt || not_run "no namespaces here: $(head -n 1 refused.txt)"

# --- the units

postgres_port=$(free_port) port=$(free_port)
socket_port=$(free_port)
unit() { # NAME TEXT
    printf '%s\n' "$2" >"units/$1"
}
service='[Unit]
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
Type=notify
Environment=STATES='$work/states' ORDERS_URL=postgresql://shop@127.0.0.1:'$postgres_port'/postgres
ExecStart='$server'
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=100ms
TimeoutStopSec=20s
WatchdogSignal=SIGKILL
ExecStopPost=/bin/sh -c "echo $$SERVICE_RESULT >>'$work'/results.txt"
StandardOutput=append:'$work/output.txt'
StandardError=append:'$work/output.txt
unit ops.target $'[Unit]\nDefaultDependencies=no'
unit shop.service "$service
Environment=PORT=$port
WatchdogSec=6s"
unit strict.service "$service
Environment=PORT=0
WatchdogSec=2s"
unit passed.service "$service
Environment=PORT=1"
unit passed.socket "[Unit]
DefaultDependencies=no
[Socket]
ListenStream=127.0.0.1:$socket_port
Service=passed.service"

# --- those that the prober looks at, and the bus on which it asks

quiet='[Unit]
DefaultDependencies=no
[Service]'
unit dbus.socket '[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket'
unit dbus.service "$quiet
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --syslog-only"
unit runs.service "$quiet
ExecStart=/bin/sleep infinity"
unit reloads.service "$quiet
ExecStart=/bin/sleep infinity
ExecReload=/bin/sleep infinity"
unit fails.service "$quiet
ExecStart=/bin/false"
unit starts.service "$quiet
Type=notify
ExecStart=/bin/sleep infinity"
unit broken.service "$quiet
Type=nonsense"
unit clock.timer '[Unit]
DefaultDependencies=no
[Timer]
OnActiveSec=1d
Unit=starts.service'
ln -s /dev/null units/masked.service

mkdir database
chown postgres database
chmod 755 "$work"
pg initdb -A trust -U shop || fail "initdb: $(<postgres.txt)"
start_database || fail "PostgreSQL does not start: $(<postgres.txt)"
postgres_runs=yes

# --- systemd

unshare --mount bash "$self" --group "$group" unshare --pid --fork --kill-child --mount --cgroup --ipc --uts --mount-proc \
    bash "$self" --systemd "$work/units" >log.txt 2>&1 </dev/null &
unshared=$!
find_init() { # the only child of the last unshare
    init=$(cat "/proc/$unshared/task/$unshared/children" 2>/dev/null | tr -d ' ')
    [ -n "$init" ] && grep -q '^systemd$' "/proc/$init/comm" 2>/dev/null
}
eventually find_init || { init=''; not_run "systemd does not start here: $(head -n 1 log.txt)"; }
eventually is ops.target ActiveState active || fail "systemd does not come up"

# --- ready, status, reload

inside systemctl start shop.service || fail "the service does not become ready"
check "ready" is shop.service ActiveState active
check "the status line, when all is well" is shop.service StatusText "2 of 2 sources OK"
is_served() { curl -sf --max-time 5 -o /dev/null "http://127.0.0.1:$1/healthz/sources"; }
check "it serves" is_served "$port"
inside systemctl reload shop.service || fail "no reload"
check "reloaded" grep -q '^reloaded' output.txt
check "active after the reload" is shop.service ActiveState active

# --- a dead PostgreSQL is told, and starts nothing again

pg pg_ctl -w -m immediate stop
postgres_runs=''
check "the status line names the database" is_like shop.service StatusText "1 of 2 sources OK; orders: ERROR since 20*UTC"
process=$(property shop.service MainPID)
sleep 15 # twice and a half of the watchdog's time
check "no restart for a dead PostgreSQL" is shop.service NRestarts 0
check "it is the same process" is shop.service MainPID "$process"
start_database
postgres_runs=yes
check "the status line, once it is back" is shop.service StatusText "2 of 2 sources OK"

# --- the watchdog

restarts=0
restarted() { # "WHAT" FILE: by a watchdog, while the file is there
    touch "states/$2"
    process=$(property shop.service MainPID)
    is_another() { is_like shop.service MainPID '[1-9]*' && ! is shop.service MainPID "$process"; }
    check "$1: it is started again" is_another
    rm "states/$2"
    check "$1: ready again" is shop.service ActiveState active
    check "$1: well again" is shop.service StatusText "2 of 2 sources OK"
    local now
    now=$(property shop.service NRestarts)
    [ "$now" -gt "$restarts" ] || fail "$1: $now restarts"
    [ "$(tail -n 1 results.txt)" = watchdog ] || fail "$1: ended by $(tail -n 1 results.txt)"
    restarts=$now
}
restarted "the loop is blocked for ever" blocked
restarted "a local source has died" stalled

# --- what cannot be met is told; late readiness

check "no word of a time that can be met" bash -c '! grep -q "is shorter than the period" output.txt'
touch states/late
inside systemctl start strict.service || fail "the service that waits for its sources does not become ready"
check "ready once all are checked" is strict.service ActiveState active
check "a WatchdogSec= that is too short is told" grep -q "WatchdogSec= of 2000 ms is shorter than the period of the watchdog, 5000 ms" output.txt
rm states/late
inside systemctl stop strict.service

# --- the end

inside systemctl stop shop.service
check "stopped" is shop.service ActiveState inactive
check "in order" is shop.service Result success

# --- socket activation

inside systemctl start passed.socket
check "the socket waits" is passed.socket ActiveState active
check "nobody serves yet" is passed.service ActiveState inactive
is_served "$socket_port" || fail "the first request does not start it"
check "the first request has started it" is passed.service ActiveState active
refused=0 answered=0
(
    set +e
    while [ ! -e enough ]; do
        curl -s --max-time 30 -o /dev/null "http://127.0.0.1:$socket_port/healthz/sources"
        echo $? >>codes.txt
    done
) &
asking=$!
for _ in 1 2 3; do
    process=$(property passed.service MainPID)
    inside systemctl restart passed.service || fail "no restart"
    check "it is another process" bash -c "! [ '$(property passed.service MainPID)' = '$process' ]"
    before=$(wc -l <codes.txt)
    goes_on() { [ "$(wc -l <codes.txt)" -gt $((before + 5)) ]; }
    check "requests go on" goes_on
done
touch enough
wait "$asking"
answered=$(grep -c '^0$' codes.txt) refused=$(grep -c '^7$' codes.txt || true)
[ "$refused" -eq 0 ] || fail "$refused connections were refused"
echo "ok      no connection was refused while it started again: $answered requests, $(sort codes.txt | uniq -c | tr '\n' ';')"
passed=$((passed + 1))

# --- what the prober says of units

look() { inside "$units" "$@"; } # UNIT...
found() { [ "$(look "$1")" = "$2" ] || { echo "$1: $(look "$1")" >>log.txt; return 1; }; } # UNIT OUTCOME
error() { printf 'ERROR {"message":"%s","extra":"%s"}' "$@"; }
check "no bus" found runs.service "$(error "systemd cannot be asked" "unix:path=/run/dbus/system_bus_socket: No such file or directory")"
inside systemctl start dbus.socket dbus.service runs.service reloads.service clock.timer || fail "no bus"
check "active" found runs.service "OK null"
check "a timer that waits is active" found clock.timer "OK null"
check "for users without privileges, too" [ "$(inside runuser -u nobody -- "$units" runs.service)" = "OK null" ]
inside systemctl reload --no-block reloads.service
check "it reloads" is reloads.service ActiveState reloading
check "reloading" found reloads.service "OK null"
inside systemctl stop runs.service
check "stopped" found runs.service "$(error "unit is not active" "runs.service: inactive (dead)")"
inside systemctl start fails.service || true
check "failed" found fails.service "$(error "unit is not active" "fails.service: failed (failed)")"
inside systemctl start --no-block starts.service
check "not ready yet" found starts.service "$(error "unit is not active" "starts.service: activating (start)")"
check "not there" found nowhere.service "$(error "unit is not loaded" "nowhere.service: not-found")"
check "masked" found masked.service "$(error "unit is not loaded" "masked.service: masked")"
check "what cannot be loaded" found broken.service "$(error "unit is not loaded" "broken.service: bad-setting")"
for name in runs 'no unit' $'\xe4.service' ../x.service; do
    check "no name of a unit: $name" bash -c "[[ '$(look "$name")' == 'ERROR {\"message\":\"'* ]]"
done
kill -STOP "$init"
check "a systemd that has stopped" found runs.service "TIMEOUT null"
kill -CONT "$init"
check "goes on" found runs.service "$(error "unit is not active" "runs.service: inactive (dead)")"

echo "$passed passed, 0 failed"
