#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Over TLS 1.3, with a certificate on the curve P-256: a handshake for each request, and requests on connections that are kept, beside nginx that
# gives the same body. The server runs on one core, wrk on another; CPU is the server process's own.
source "$(dirname "$0")/../common.sh"
source benchmarks/serve/load.sh
dir=$out/tls seconds=2
mkdir -p "$dir/root/healthz"
if [ "$quick" = 1 ]; then seconds=1; fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 -subj /CN=localhost 2>/dev/null
scheme=https
serve healthz env TLS_CERTIFICATE="$dir/cert.pem" TLS_KEY="$dir/key.pem" "$bin/serve_ours" PORT tls
sleep 0.2 # the first checks
curl -sk "https://127.0.0.1:${port[healthz]}/healthz/sources" >"$dir/root/healthz/sources"
chmod -R a+rX "$dir"
cat >"$dir/nginx.conf" <<END
daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.log;
events { worker_connections 8192; }
http {
    access_log off; keepalive_requests 1000000000; tcp_nodelay on; open_file_cache max=10;
    server {
        listen 127.0.0.1:$next_port ssl backlog=4096; root $dir/root; default_type application/json; etag off;
        ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
        add_header Cache-Control no-store;
    }
}
END
serve nginx /usr/sbin/nginx -e "$dir/nginx.log" -c "$dir/nginx.conf"
curl -sk "https://127.0.0.1:${port[nginx]}/healthz/sources" | cmp - "$dir/root/healthz/sources"
for round in $(seq "$rounds"); do
    for name in healthz nginx; do
        load "$name" 8 1 -H "Connection: close"
        figure TLS "$name" "CPU, us/handshake" "$round" "$cpu"
        load "$name" 32 1
        figure TLS "$name" "CPU, us/request kept open" "$round" "$cpu"
        figure TLS "$name" "p99 kept open, us" "$round" "$p99"
    done
done
