#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Serving: this server beside an epoll loop that does not even parse, and beside others that give the same bytes. The server
# runs on one core, wrk on another; CPU a request is the server process's own.
source "$(dirname "$0")/../common.sh"
source benchmarks/serve/load.sh
dir=$out/serve seconds=2
mkdir -p "$dir"
if [ "$quick" = 1 ]; then seconds=1; fi
request=$'GET /healthz/sources HTTP/1.1\r\nHost: localhost\r\n\r\n'

# allocations ROUND : what 200 requests of one connection allocate in our server, after the connection's first
allocations() {
    local i before after size
    size=$(wc -c <"$dir/response")
    exec 4<>"/dev/tcp/127.0.0.1/${port[healthz]}"
    for i in $(seq 201); do
        printf %s "$request" >&4
        head -c "$size" <&4 >"$dir/answer"
        if [ "$i" -eq 1 ] || [ "$i" -eq 201 ]; then
            kill -USR1 "${pid[healthz]}"
            sleep 0.1
        fi
    done
    exec 4>&-
    cmp <(grep -av ^Date: "$dir/answer") <(grep -av ^Date: "$dir/response")
    read -r before after < <(tail -2 "$dir/healthz.txt" | paste -sd' ')
    figure serve healthz "allocations/request" "$1" "$(divide $((after - before)) 200)"
}

serve healthz "$bin/serve_ours" PORT
sleep 0.2 # the first checks
curl -si "http://127.0.0.1:${port[healthz]}/healthz/sources" >"$dir/response"
curl -s "http://127.0.0.1:${port[healthz]}/healthz/sources" >"$dir/body"
mkdir -p "$dir/root/healthz"
cp "$dir/body" "$dir/root/healthz/sources"
chmod -R a+rX "$dir"
cat >"$dir/nginx.conf" <<END
daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.log;
events { worker_connections 8192; }
http {
    access_log off; keepalive_requests 1000000000; tcp_nodelay on; open_file_cache max=10;
    server {
        listen 127.0.0.1:$next_port backlog=4096; root $dir/root; default_type application/json; etag off;
        add_header Cache-Control no-store;
    }
}
END
serve nginx /usr/sbin/nginx -e "$dir/nginx.log" -c "$dir/nginx.conf"
serve "epoll loop, no parser" "$bin/serve_epoll" PORT "$dir/response"
servers=(healthz "epoll loop, no parser" nginx)
serve "healthz, with a secret" "$bin/serve_ours" PORT secret
if [ "$quick" = 0 ]; then
    serve "idiomatic Beast" "$bin/serve_beast" PORT "$dir/body"
    serve restinio "$bin/serve_restinio" PORT "$dir/body"
    serve libmicrohttpd "$bin/serve_microhttpd" PORT "$dir/body"
    serve cpp-httplib "$bin/serve_httplib" PORT "$dir/body"
    servers+=("idiomatic Beast" restinio libmicrohttpd cpp-httplib "healthz, with a secret")
    for name in "${servers[@]:3:4}"; do curl -s "http://127.0.0.1:${port[$name]}/healthz/sources" | cmp - "$dir/body"; done
fi
for round in $(seq "$rounds"); do
    for name in "${servers[@]}"; do
        header=()
        if [ "$name" = "healthz, with a secret" ]; then header=(-H "X-Hasura-Admin-Secret: open-sesame"); fi
        load "$name" 32 1 "${header[@]}"
        figure serve "$name" "CPU, us/request" "$round" "$cpu"
        figure serve "$name" "rate, requests/s" "$round" "$rate"
        figure serve "$name" "p50, us" "$round" "$p50"
        figure serve "$name" "p99, us" "$round" "$p99"
        figure serve "$name" "p99.9, us" "$round" "$p999"
    done
    allocations "$round"
    for name in healthz "epoll loop, no parser" nginx; do
        load "$name" 32 16
        figure pipelined "$name" "rate, requests/s" "$round" "$rate"
        figure pipelined "$name" "CPU, us/request" "$round" "$cpu"
        [ "$quick" = 0 ] || continue
        load "$name" 1000 1
        figure "1,000 connections" "$name" "CPU, us/request" "$round" "$cpu"
        figure "1,000 connections" "$name" "rate, requests/s" "$round" "$rate"
        figure "1,000 connections" "$name" "p99, us" "$round" "$p99"
    done
done
end_started

serve rest "$bin/serve_ours" PORT rest
serve churn "$bin/serve_ours" PORT churn
kill -STOP "${pid[churn]}" # so that it takes nothing from the other
for round in $(seq "$rounds"); do
    for name in rest churn; do
        kill -CONT "${pid[$name]}"
        load "$name" 32 1
        kill -STOP "${pid[$name]}"
        row="at rest"
        if [ "$name" = churn ]; then row="3,000 verdicts/s"; fi
        figure churn "$row" "p50, us" "$round" "$p50"
        figure churn "$row" "p99, us" "$round" "$p99"
        figure churn "$row" "p99.9, us" "$round" "$p999"
        figure churn "$row" "rate, requests/s" "$round" "$rate"
    done
done
kill -CONT "${pid[rest]}" "${pid[churn]}"
end_started

# Eight threads that ask one site of 300 sources, without HTTP.
for round in $(seq "$rounds"); do
    for view in document=/healthz/sources /livez=/livez /metrics=/metrics; do
        while read -r state p50 p99 p999; do
            row="at rest"
            if [ "$state" = churn ]; then row="3,000 verdicts/s"; fi
            figure asking "$row" "${view%%=*} p50, ns" "$round" "$p50"
            figure asking "$row" "${view%%=*} p99, ns" "$round" "$p99"
        done < <("$bin/serve_asking" "${view#*=}" 10)
    done
done

if [ "$quick" = 0 ]; then
    # The demo's document from a mount, beside the same bytes from the same server's own handler.
    export HEALTHZ_ADMIN_SECRET=open-sesame INVENTORY_DB=$dir/inventory.db
    mounts=(beast restinio microhttpd httplib civetweb poco pistache qt) seconds=1
    header=(-H "X-Hasura-Admin-Secret: open-sesame")
    for name in "${mounts[@]}"; do PORT=$next_port serve "mount $name" "$bin/mounts/mount_$name"; done
    sleep 0.5 # the first checks
    curl -s "${header[@]}" "http://127.0.0.1:${port[mount beast]}/healthz/sources" >"$dir/mounted"
    for name in "${mounts[@]}"; do serve "hello $name" "$bin/serve_$name" PORT "$dir/mounted"; done
    for round in $(seq "$rounds"); do
        for name in "${mounts[@]}"; do
            load "hello $name" 16 1 "${header[@]}"
            hello=$cpu
            load "mount $name" 16 1 "${header[@]}"
            figure mounts "$name" "hello, us" "$round" "$hello"
            figure mounts "$name" "mount, us" "$round" "$cpu"
            figure mounts "$name" "over its hello, us" "$round" "$(awk -v a="$cpu" -v b="$hello" 'BEGIN { print a - b }')"
        done
    done
    end_started
    benchmarks/serve/attacks.sh
fi
