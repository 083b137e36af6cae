#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Probing: CPU of the whole process for one check, of TCP and of PostgreSQL; and 1,000 sources on one core.
source "$(dirname "$0")/../common.sh"
dir=$out/probe checks=10000 fresh=500 seconds=5
mkdir -p "$dir"
if [ "$quick" = 1 ]; then checks=3000 fresh=0 seconds=4; fi

accept_port=18200 lateness_port=18207
taskset -c "$last_core" "$bin/probe_acceptor" $accept_port &
started+=("$!")
await_port $accept_port
# How many connections this machine has begun. The acceptor cannot tell: HAProxy resets each before it is established.
begun() { awk '/^Tcp:/ && names++ { print $6 }' /proc/net/snmp; }
ours() { taskset -c "$first_core" "$bin/probe_checks" "$@"; }
# Where a server's process answers, its client shares its core: to wake a process on another one takes an interrupt between the
# two, and on a virtual machine that is the hypervisor's work, and several times the cost of a check.
ours_beside() { taskset -c "$last_core" "$bin/probe_checks" "$@"; }

# meanwhile PID COMMAND... : sets cost, the CPU microseconds that process PID uses for each connection begun meanwhile
meanwhile() {
    local pid=$1 cpu_before connections_before
    shift
    connections_before=$(begun) cpu_before=$(cpu_ns "$pid")
    "$@" >/dev/null
    cost=$(divide $(($(cpu_ns "$pid") - cpu_before)) $((($(begun) - connections_before) * 1000)))
}

# 100 servers checked every 10 ms: 10,000 checks a second.
cat >"$dir/haproxy.cfg" <<END
global
    nbthread 1
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend listener
    bind 127.0.0.1:18203 # it wants one; nobody uses it
    mode tcp
    default_backend all
backend all
    mode tcp
$(for i in $(seq 100); do echo "    server s$i 127.0.0.3:$accept_port check inter 10ms"; done)
END
blackbox_port=18201
taskset -c "$first_core" prometheus-blackbox-exporter --config.file=/etc/prometheus/blackbox.yml \
    --web.listen-address=127.0.0.1:$blackbox_port --log.level=error >"$dir/blackbox.log" 2>&1 &
blackbox=$!
started+=("$blackbox")
await_port $blackbox_port

# Servers of their own, that only this machine reaches; the databases do not run as root.
postgres_port=18202 mysql_port=18204 redis_port=18205 http_port=18206 grpc_port=18208 postgres_bin=/usr/lib/postgresql/15/bin
data=$(mktemp -d)
chmod a+rx "$data"
mkdir "$data"/{postgres,mysql}
mysql_user=()
as_postgres=()
if [ "$(id -u)" -eq 0 ]; then
    as_postgres=(runuser -u postgres --)
    mysql_user=(--user=mysql)
    chown postgres "$data/postgres"
    chown mysql "$data/mysql"
fi
(cd / && "${as_postgres[@]}" $postgres_bin/initdb -D "$data/postgres/db" -A trust -U bench >"$dir/initdb.log")
(cd / && "${as_postgres[@]}" taskset -c "$last_core" $postgres_bin/postgres -D "$data/postgres/db" -p $postgres_port -k "$data/postgres" -c fsync=off) >"$dir/postgres.log" 2>&1 &
stop_servers() {
    end_started
    (cd / && "${as_postgres[@]}" $postgres_bin/pg_ctl -D "$data/postgres/db" -m immediate stop >/dev/null) || true
    wait
    rm -rf "$data"
}
trap stop_servers EXIT
mariadb-install-db --no-defaults "${mysql_user[@]}" --datadir="$data/mysql/db" --auth-root-authentication-method=normal >"$dir/mysql.log"
taskset -c "$last_core" mariadbd --no-defaults "${mysql_user[@]}" --datadir="$data/mysql/db" --socket="$data/mysql/socket" \
    --bind-address=127.0.0.1 --port=$mysql_port >>"$dir/mysql.log" 2>&1 &
started+=("$!")
taskset -c "$last_core" redis-server --port $redis_port --bind 127.0.0.1 --save '' --dir "$data" >"$dir/redis.log" &
started+=("$!")
taskset -c "$last_core" "$bin/probe_grpc" serve $grpc_port >"$dir/grpc.log" 2>&1 &
started+=("$!")
mkdir "$data/www"
echo '{"status":"ok"}' >"$data/www/health"
cat >"$dir/nginx.conf" <<END
daemon off; master_process off; pid $data/nginx.pid; error_log $dir/nginx.log;
events {}
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:$http_port; root $data/www; } }
END
taskset -c "$last_core" /usr/sbin/nginx -e "$dir/nginx.log" -c "$dir/nginx.conf" &
started+=("$!")
printf '[PostgreSQL]\nDriver=psqlodbcw.so\n[MariaDB]\nDriver=libmaodbc.so\n' >"$data/odbcinst.ini"
export ODBCSYSINI=$data
for port in $postgres_port $mysql_port $redis_port $http_port $grpc_port; do await_port $port; done
url="host=127.0.0.1 port=$postgres_port user=bench dbname=postgres"
mysql=mysql://root@127.0.0.1:$mysql_port/mysql
web=http://127.0.0.1:$http_port/health

column="CPU, us/check"
for round in $(seq "$rounds"); do
    # An address each, so that none runs out of the other's ports.
    figure tcp "bare loop" "$column" "$round" "$(ours tcp_bare 127.0.0.1:$accept_port $checks)"
    figure tcp healthz "$column" "$round" "$(ours tcp 127.0.0.2:$accept_port $checks)"
    taskset -c "$first_core" haproxy -db -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 &
    haproxy=$!
    started+=("$haproxy")
    sleep 0.3
    meanwhile "$haproxy" sleep 1
    kill "$haproxy"
    figure tcp HAProxy "$column" "$round" "$cost"
    meanwhile "$blackbox" timeout 20 wrk -t1 -c2 -d1s "http://127.0.0.1:$blackbox_port/probe?module=tcp_connect&target=127.0.0.4:$accept_port"
    figure tcp blackbox_exporter "$column" "$round" "$cost"

    figure postgres "PQexec loop, kept open" "$column" "$round" "$(ours_beside pq "$url" $checks)"
    figure postgres "healthz, kept open" "$column" "$round" "$(ours_beside postgres "$url" $checks)"
    figure "kept open" "connect, epoll and close" "$column" "$round" "$(ours_beside tcp_bare 127.0.0.1:$accept_port $checks)"
    figure "kept open" postgres "$column" "$round" "$(ours_beside postgres "$url" $checks)"
    figure "kept open" mysql "$column" "$round" "$(ours_beside mysql "$mysql" $checks)"
    figure "kept open" redis "$column" "$round" "$(ours_beside redis redis://127.0.0.1:$redis_port $checks)"
    figure "kept open" "odbc, PostgreSQL" "$column" "$round" \
        "$(ours_beside odbc "Driver=PostgreSQL;Server=127.0.0.1;Port=$postgres_port;Uid=bench;Database=postgres" $checks)"
    figure "kept open" "odbc, MariaDB" "$column" "$round" "$(ours_beside odbc "Driver=MariaDB;Server=127.0.0.1;Port=$mysql_port;Uid=root" $checks)"
    figure "kept open" http "$column" "$round" "$(ours_beside http $web $checks)"
    figure "kept open" grpc "$column" "$round" "$(taskset -c "$last_core" "$bin/probe_grpc" grpc $grpc_port $checks)"
    figure "kept open" "a stub of gRPC in a loop" "$column" "$round" "$(taskset -c "$last_core" "$bin/probe_grpc" bare $grpc_port $checks)"
    figure "kept open" "the same, a channel each" "$column" "$round" "$(taskset -c "$last_core" "$bin/probe_grpc" bare_fresh $grpc_port $((checks / 10)))"
    taskset -acp "$last_core" "$blackbox" >/dev/null
    blackbox_before=$(cpu_ns "$blackbox")
    requests=$(timeout 20 wrk -t1 -c2 -d1s "http://127.0.0.1:$blackbox_port/probe?module=http_2xx&target=$web" | awk '/requests in/ { print $1 }')
    figure "kept open" "blackbox_exporter, http" "$column" "$round" "$(divide $(($(cpu_ns "$blackbox") - blackbox_before)) $((requests * 1000)))"
    taskset -acp "$first_core" "$blackbox" >/dev/null
    if [ $fresh -gt 0 ]; then
        figure postgres "PQexec loop, fresh" "$column" "$round" "$(ours_beside pq_fresh "$url" $fresh)"
        figure postgres "healthz, fresh" "$column" "$round" "$(ours_beside postgres_fresh "$url" $fresh)"
        read -r user system < <(/usr/bin/time -f '%U %S' taskset -c "$last_core" bash -c "for i in {1..100}; do $postgres_bin/pg_isready -q -h 127.0.0.1 -p $postgres_port; done" 2>&1)
        figure postgres "pg_isready, a process" "$column" "$round" "$(awk "BEGIN { print ($user + $system) * 10000 }")"
    fi

    read -r starts timeouts memory < <(taskset -c "$first_core" "$bin/probe_lateness" $seconds)
    figure lateness "1,000 sources" "p99 of starts, ms" "$round" "$starts"
    figure lateness "1,000 sources" "p99 of TIMEOUTs told, ms" "$round" "$timeouts"
    figure lateness "1,000 sources" "memory, KiB/source" "$round" "$memory"
    # Served to clients that ask as fast as they can, on all cores that they share.
    "$bin/probe_lateness" $seconds "$lateness_port" >"$dir/lateness.txt" &
    lateness=$!
    await_port "$lateness_port"
    wrk -t1 -c32 -d"${seconds}s" "http://127.0.0.1:$lateness_port/healthz/sources" >"$dir/load.txt" 2>&1
    wait "$lateness"
    read -r starts timeouts memory <"$dir/lateness.txt"
    figure lateness "1,000 sources, HTTP load" "p99 of starts, ms" "$round" "$starts"
    figure lateness "1,000 sources, HTTP load" "p99 of TIMEOUTs told, ms" "$round" "$timeouts"
done
