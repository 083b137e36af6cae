#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: tests/views/run.sh SERVER
#
# Shows the views of the program SERVER (views/server.cpp) to the tools that operators use, each of which is started here, on private ports:
# curl, promtool, the OpenMetrics parser of Prometheus' client for Python, Prometheus and Alertmanager, PostgreSQL, HAProxy, nginx, systemd, Chromium
# with axe-core. Works under
# build/views. PICTURE=file.png has Chromium keep what it sees.
set -euo pipefail
server=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$here/../../build/views
rm -rf "$work/run"
mkdir -p "$work/run"
cd "$work/run"
work=$PWD
passed=0
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
secret=Vq8zKw3x
export STATES=$work SECRET=$secret

fail() { echo "FAILED  $*"; echo "$passed passed, 1 failed"; exit 1; }
check() { # "WHAT" COMMAND...: it succeeds
    "${@:2}" >check.txt 2>&1 || { cat check.txt; fail "$1"; }
    echo "ok      $1"
    passed=$((passed + 1))
}
eventually() { # COMMAND...: it succeeds within a minute
    local end=$((SECONDS + 60))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
is() { [ "$1" = "$2" ] || { printf 'expected: %s\nfound:    %s\n' "$2" "$1"; return 1; }; }
free_port() {
    local port
    while port=$(shuf -i 20000-32000 -n 1); do
        if ! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then echo "$port"; return; fi
    done
}
start_server() { # NAME [VARIABLE=VALUE...]: sets $NAME to its process and ${NAME}_port to its port
    : >"$1.txt"
    env "${@:2}" "$server" >"$1.txt" 2>&1 &
    declare -g "$1=$!"
    eventually grep -q '^listening ' "$1.txt" || fail "$1 does not listen"
    declare -g "$1_port=$(sed -n 's/^listening //p' "$1.txt")"
}
curl() { command curl -s --max-time 10 "$@"; }

# The states that there are; what a source says is to be hostile.
printf 'ERROR\nconnection error <script>alert(1)</script>\n</pre><img src=x onerror=alert(2)>\n' >odd
printf 'TIMEOUT\n' >cache
start_server one
at=http://127.0.0.1:$one_port
all_checked() { is "$(curl "$at/startupz")" ok; }
check "all sources are checked" eventually all_checked

# --- formats

type_of() { curl -o /dev/null -w '%{content_type}' -u "any:$secret" "${@:2}" "$at$1"; }
prometheus_accepts='Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
check "metrics: the type for anybody" is "$(type_of /metrics)" "text/plain; version=0.0.4; charset=utf-8"
check "metrics: the type for Prometheus" is "$(type_of /metrics -H "$prometheus_accepts")" "application/openmetrics-text; version=1.0.0; charset=utf-8"
check "page: the type for a terminal" is "$(type_of /healthz/page)" "text/plain; charset=utf-8"
check "page: the type for a browser" is "$(type_of /healthz/page -H 'Accept: text/html')" "text/html; charset=utf-8"
check "a kubelet gets no page" is "$(type_of /readyz -A kube-probe/1.30 -H 'Accept: */*')" "text/plain; charset=utf-8"
curl -u "any:$secret" "$at/metrics" >metrics.txt
curl -u "any:$secret" -H "$prometheus_accepts" "$at/metrics" >metrics.om
check "promtool finds nothing" promtool check metrics <metrics.txt
om_is_read() {
    /usr/bin/python3 - <<'P'
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
samples = [s for f in families(open('metrics.om').read()) for s in f.samples]
assert any(s.labels.get('source_name') == 'a"b\\é' for s in samples), samples[:3]
assert len(samples) > 70, len(samples)
P
}
check "the OpenMetrics parser reads it" om_is_read
om_is_refused() { head -n -1 metrics.om >cut.om && ! /usr/bin/python3 -c "
from prometheus_client.openmetrics.parser import text_string_to_metric_families as f
list(f(open('cut.om').read()))" 2>/dev/null; }
check "and would refuse it without its end" om_is_refused

# --- what the declaration writes about itself

print() { PORT=$one_port "$server" --print "$1" "$server"; }
print alert-rules >written.yml
check "promtool takes the alert rules" promtool check rules written.yml
cat >test.yml <<'T'
rule_files: [written.yml]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series:
      - {series: 'healthz_source_up{job="shop",instance="one",source_name="orders"}', values: '1x4 0x4 1x20'}
      - {series: 'healthz_source_info{job="shop",instance="one",source_name="a\"b\\é"}', values: '1x40'}
      - {series: 'healthz_source_maintenance{job="shop",instance="one",source_name="cache"}', values: '1x40'}
      - {series: 'healthz_source_up{job="shop",instance="one",source_name="cache"}', values: '0x40'}
    alert_rule_test:
      - {eval_time: 2m, alertname: HealthzSourceDown, exp_alerts: []}
      - eval_time: 6m
        alertname: HealthzSourceDown
        exp_alerts: [{exp_labels: {severity: page, job: shop, instance: one, source_name: orders}, exp_annotations: {summary: orders of one is not OK}}]
      - {eval_time: 12m, alertname: HealthzSourceDown, exp_alerts: []}
      - eval_time: 8m
        alertname: HealthzSourceMissing
        exp_alerts:
          - {exp_labels: {severity: ticket, job: shop, source_name: orders}, exp_annotations: {summary: no instance has the source orders}}
          - {exp_labels: {severity: ticket, job: shop, source_name: cache}, exp_annotations: {summary: no instance has the source cache}}
          - {exp_labels: {severity: ticket, job: shop, source_name: search}, exp_annotations: {summary: no instance has the source search}}
T
check "and they fire when they should" promtool test rules test.yml
scrape_is_valid() {
    { echo 'global: {scrape_interval: 1m}'; print scrape-config; } >written_scrape.yml || return 1
    sed -i "s,/etc/shop/secret,$work/secret," written_scrape.yml
    printf %s "$secret" >secret
    promtool check config written_scrape.yml && grep -q "metrics_path: /metrics" written_scrape.yml
}
check "promtool takes the scrape configuration" scrape_is_valid
dashboard_is_valid() {
    print dashboard | jq -e '.title == "Sources of shop" and (.panels | length) == 6' >/dev/null || return 1
    local name
    for name in $(print dashboard | jq -r '.panels[].targets[].expr' | grep -oE '(healthz|hasura)_[a-z_]+' | sort -u); do
        grep -q "^$name{" metrics.txt || { echo "no metric $name"; return 1; }
    done
}
check "the dashboard is JSON, about metrics that there are" dashboard_is_valid
unit_is_valid() { print systemd >shop.service && SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no ./shop.service; }
check "systemd takes the unit" unit_is_valid
backend_is_valid() {
    { printf 'defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend all\n  mode http\n  bind 127.0.0.1:1\n  default_backend shop\n'; print haproxy; } >written.cfg
    haproxy -c -f written.cfg
}
check "HAProxy takes the backend" backend_is_valid
probes_are_valid() {
    print kubernetes >probes.yml
    /usr/bin/python3 - "$one_port" <<'P'
import sys, yaml
probes = yaml.safe_load(open('probes.yml'))
assert list(probes) == ['startupProbe', 'livenessProbe', 'readinessProbe'], probes
assert [p['httpGet']['path'] for p in probes.values()] == ['/startupz', '/livez', '/readyz']
assert all(p['httpGet']['port'] == int(sys.argv[1]) and p['periodSeconds'] > 0 and p['failureThreshold'] > 0 for p in probes.values())
P
}
check "the probes of Kubernetes are YAML" probes_are_valid
openapi_is_valid() {
    npm install --silent --no-audit --no-fund --prefix .. @seriousme/openapi-schema-validator@2 puppeteer-core@23 axe-core@4 >npm.txt 2>&1 || { cat npm.txt; return 1; }
    print openapi >openapi.json || return 1
    jq -e '.components.schemas.Document.properties | keys_unsorted == ["orders", "a\"b\\é", "cache", "search"]' openapi.json >/dev/null || return 1
    jq -e '.paths["/healthz/sources/{name}"].get.responses | has("404")' openapi.json >/dev/null || return 1
    (cd .. && node --input-type=module -e "
import { Validator } from '@seriousme/openapi-schema-validator';
const result = await new Validator().validate(process.argv[1]);
if (!result.valid) { console.log(JSON.stringify(result.errors)); process.exit(1); }" "$work/openapi.json")
}
check "the OpenAPI document is one" openapi_is_valid
table_is_whole() { is "$(print table | grep -c '^| ')" 5 && print table | grep -qF '| a"b\\é | file | 200 ms | 2 s | 0 | '; }
check "the table has a line for each source" table_is_whole
check "the line for Docker" is "$(print dockerfile)" "HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD [\"$server\", \"--healthcheck\"]"
check "the program asks itself" env PORT="$one_port" "$server" --healthcheck
not() { ! "$@"; }
check "and is told where it is not alive" not env PORT="$(free_port)" "$server" --healthcheck
check "there is no other artefact" not print nonsense

# --- Prometheus: by both formats, nginx asking for the older one, by both credentials, and over TLS

as_postgres=()
[ "$(id -u)" -ne 0 ] || as_postgres=(runuser -u postgres --)
postgres_port=$(free_port)
mkdir database
[ "$(id -u)" -ne 0 ] || chown postgres database
chmod go+x . ..
pg() { "${as_postgres[@]}" /usr/lib/postgresql/15/bin/"$1" -D "$work/database" "${@:2}" </dev/null >>postgres.txt 2>&1; }
pg initdb -A trust -U shop || fail "initdb: $(<postgres.txt)"
start_database() { pg pg_ctl -w -l "$work/database/log" -o "-p $postgres_port -k $work/database -c listen_addresses=127.0.0.1" start; }
stop_database() { pg pg_ctl -w -m immediate stop; }
trap 'kill $(jobs -p) 2>/dev/null || true; stop_database || true' EXIT
start_database || fail "PostgreSQL does not start: $(<postgres.txt)"
start_server three DRAIN=6000 SEARCH_URL="postgresql://shop@127.0.0.1:$postgres_port/postgres"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" 2>openssl.txt || fail "openssl: $(<openssl.txt)"
start_server four TLS_CERTIFICATE=tls.pem TLS_KEY=tls.key

alertmanager_port=$(free_port) webhook_port=$(free_port)
/usr/bin/python3 - "$webhook_port" >webhook.txt 2>/dev/null <<'P' &
import http.server, json, sys
class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for a in json.loads(self.rfile.read(int(self.headers['Content-Length'])))['alerts']:
            print(a['status'], a['labels']['alertname'], a['labels'].get('job'), a['labels'].get('source_name'), flush=True)
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Webhook).serve_forever()
P
printf 'route: {receiver: hook, group_by: ["..."], group_wait: 0s, group_interval: 1s}\nreceivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:%s", send_resolved: true}]}]\n' \
    "$webhook_port" >alertmanager.yml
prometheus-alertmanager --config.file=alertmanager.yml --storage.path="$work/alerts" --web.listen-address="127.0.0.1:$alertmanager_port" \
    --cluster.listen-address= >alertmanager.txt 2>&1 &

nginx_port=$(free_port) prometheus_port=$(free_port)
cat >nginx.conf <<N
daemon off; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes 1;
events {}
http { access_log off; server { listen 127.0.0.1:$nginx_port;
    location / { proxy_pass $at; proxy_set_header Accept "text/plain;version=0.0.4"; proxy_set_header Host localhost; } } }
N
nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
scrape() { # JOB PORT SETTING...
    printf '  - job_name: %s\n    static_configs: [{targets: ["127.0.0.1:%s"]}]\n' "$1" "$2"
    printf '    %s\n' "${@:3}"
}
cat >rules.yml <<'R'
groups: [{name: healthz, rules: [
  {alert: SourceDown, expr: healthz_source_up == 0},
  {alert: SourceStale, expr: "time() - healthz_last_check_timestamp_seconds > on(job, source_name) healthz_source_worst_case_detection_seconds + 1"}]}]
R
{
    printf 'alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:%s"]}]}]}\n' "$alertmanager_port"
    printf 'global: {scrape_interval: 500ms, evaluation_interval: 500ms}\nrule_files: [%s/rules.yml, %s/written.yml]\nscrape_configs:\n' "$work" "$work"
    scrape open_metrics "$one_port" "basic_auth: {username: any, password: $secret}"
    scrape text "$nginx_port" "authorization: {credentials: $secret}"
    scrape nobody "$one_port" "scheme: http"
    scrape tls_basic "$four_port" "basic_auth: {username: any, password: $secret}" "scheme: https" "tls_config: {ca_file: $work/tls.pem}"
    scrape tls_bearer "$four_port" "authorization: {credentials: $secret}" "scheme: https" "tls_config: {ca_file: $work/tls.pem}"
    scrape tls_stranger "$four_port" "authorization: {credentials: $secret}" "scheme: https"
    scrape database "$three_port" "authorization: {credentials: $secret}"
} >prometheus.yml
prometheus --config.file=prometheus.yml --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$prometheus_port" >prometheus.txt 2>&1 &
api() { curl -G "http://127.0.0.1:$prometheus_port/api/v1/$1" "${@:2}"; }
query() { api query --data-urlencode "query=$1" | jq -r "${2:-.data.result[0].value[1]}"; }
answers() { is "$(query "$1")" "$2" >/dev/null; }
check "Prometheus scrapes by Basic, and OpenMetrics" eventually answers 'up{job="open_metrics"}' 1
check "Prometheus scrapes by Bearer, and text" eventually answers 'up{job="text"}' 1
check "Prometheus scrapes over TLS by Basic" eventually answers 'up{job="tls_basic"}' 1
check "Prometheus scrapes over TLS by Bearer" eventually answers 'up{job="tls_bearer"}' 1
check "who does not know the certificate scrapes nothing" eventually answers 'up{job="tls_stranger"}' 0
check "who shows no secret scrapes nothing" eventually answers 'up{job="nobody"}' 0
name_is_whole() { is "$(query 'healthz_source_up{job="open_metrics"} unless healthz_source_up{source_name=~"orders|cache|search"}' '.data.result[0].metric.source_name')" 'a"b\é'; }
check "a name comes back whole" eventually name_is_whole
series() { api series --data-urlencode "match[]={job=\"$1\",__name__=~\"h.*\"}" | jq -cS '[.data[] | del(.job, .instance)] | sort'; }
same_series() { [ "$(series text | jq length)" -gt 70 ] && is "$(series text)" "$(series "$1")"; }
for job in open_metrics tls_basic tls_bearer; do check "$job gives the same series as text" eventually same_series $job; done
check "the gauge of Hasura's dashboard" eventually answers 'hasura_source_health{job="text",source_name="search"}' 2
alerts() { query "count(ALERTS{alertname=\"$1\",alertstate=\"firing\",job=\"text\"})" '.data.result[0].value[1] // "0"'; }
fires() { is "$(alerts "$1")" "$2" >/dev/null; }
check "an alert fires for each source that is down" eventually fires SourceDown 3
touch block
livez() { is "$(curl -o /dev/null -w '%{http_code}' "$at/livez")" "$1" >/dev/null; }
check "a loop that stands still is not alive" eventually livez 503
check "and an alert fires for each of its sources" eventually fires SourceStale 4
check "the written one, too" eventually fires HealthzSourceStale 4
check "the program that asks itself is told, too" not env PORT="$one_port" "$server" --healthcheck
rm block
check "once it goes on, it is alive" eventually livez 200
check "and no such alert fires" eventually fires SourceStale 0

# --- PostgreSQL stops, and a webhook is told by way of Prometheus and Alertmanager; and once it runs again

check "PostgreSQL is OK" eventually answers 'healthz_source_up{job="database",source_name="search"}' 1
told() { grep -qx "$1 SourceDown database search" webhook.txt; }
check "the webhook is told nothing of it" not told firing
stop_database
check "PostgreSQL is down" eventually answers 'hasura_source_health{job="database",source_name="search"}' 3
check "the webhook is told so" eventually told firing
start_database
check "the webhook is told that it is up again" eventually told resolved

# --- the page

cp "$here/page.mjs" ..
check "Chromium shows the page" node ../page.mjs "$at/healthz/page" "$secret" "${PICTURE:-$work/page.png}"

# --- HAProxy: takes a server out, and in; loses no request where one of two is started again

start_server two PORT="$(free_port)" DRAIN=6000 SEARCH_URL="postgresql://shop@127.0.0.1:$postgres_port/postgres"
rm -f odd cache
haproxy_port=$(free_port)
printf '%s\n' "global" "  stats socket $work/haproxy.sock" "defaults" "  mode http" "  timeout connect 5s" "  timeout client 5s" "  timeout server 5s" \
    "  option redispatch" "frontend all" "  bind 127.0.0.1:$haproxy_port" "  default_backend servers" "backend servers" "  option httpchk GET /readyz" \
    "  http-check send hdr Host localhost" "  default-server check inter 200ms fall 2 rise 1" "  server three 127.0.0.1:$three_port" \
    "  server two 127.0.0.1:$two_port" >haproxy.cfg
haproxy -f haproxy.cfg >haproxy.txt 2>&1 &
state_of() { echo "show stat" | /usr/bin/python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect('$work/haproxy.sock'); s.sendall(b'show stat\n')
data = b''
while chunk := s.recv(65536): data += chunk
rows = [l.split(',') for l in data.decode().splitlines()]
head = rows[0]
for r in rows[1:]:
    if len(r) > 1 and r[1] == '$1': print(r[head.index('status')], r[head.index('check_code')])"; }
stands() { is "$(state_of "$1" 2>/dev/null)" "$2" >/dev/null; }
check "HAProxy takes both in" eventually stands three "UP 200"
check "the other, too" eventually stands two "UP 200"
printf 'TIMEOUT\n' >cache
check "HAProxy takes out whose source is down" eventually stands three "DOWN 503"
rm cache
check "HAProxy takes in whose source is up again" eventually stands three "UP 200"
check "the other is in again, too" eventually stands two "UP 200"
(
    lost=0
    while [ ! -e enough ]; do
        [ "$(command curl -s -o /dev/null -w '%{http_code}' --max-time 10 "http://127.0.0.1:$haproxy_port/healthz")" = 200 ] || lost=$((lost + 1))
    done
    echo "$lost" >lost
) &
asker=$!
sleep 1
kill -TERM "$two"
check "a server that drains is taken out" eventually stands two "DOWN 503"
wait "$two" || fail "it ended in $?"
start_server two PORT="$two_port" DRAIN=6000 SEARCH_URL="postgresql://shop@127.0.0.1:$postgres_port/postgres"
check "a server that was started again is taken in" eventually stands two "UP 200"
kill -TERM "$three" # so that it alone is asked
check "and does what the other did" eventually stands three "DOWN 503"
wait "$three" || fail "it ended in $?"
sleep 0.5
touch enough
wait "$asker"
check "and no request was lost" is "$(<lost)" 0

check "no secret was printed" test -z "$(grep -l "$secret" one.txt two.txt three.txt four.txt)"
for each in "$one" "$two" "$four"; do
    kill -TERM "$each"
    wait "$each" || fail "the server ended in $?"
done
echo "$passed passed, 0 failed"
