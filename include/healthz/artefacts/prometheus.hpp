// SPDX-License-Identifier: BSL-1.0
// For Prometheus and Grafana: alert rules, a scrape configuration, a dashboard.
// Part of the core.
#pragma once

#include "../cycle.hpp"
#include "../text.hpp"
#include "declared.hpp"

#include <cstddef>
#include <string_view>

namespace healthz::detail {

/// How many bytes at the front of `text` are a character that YAML does not take, or takes for the end of a line; zero for any other.
constexpr std::size_t unprintable_size(std::string_view text) {
    auto const at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    if (at(0) < ' ' || at(0) == 0x7F) return 1;
    if (at(0) == 0xC2 && at(1) < 0xA0) return 2;                                                            // U+0080 to U+009F
    if (at(0) == 0xE2 && at(1) == 0x80 && (at(2) == 0xA8 || at(2) == 0xA9)) return 3;                       // U+2028, U+2029
    if (at(0) == 0xEF && ((at(1) == 0xBF && at(2) >= 0xBE) || (at(1) == 0xBB && at(2) == 0xBF))) return 3;  // U+FFFE, U+FFFF, U+FEFF
    return 0;
}

/// Puts `text` as the inside of a string of PromQL. What YAML does not take is told by its bytes.
template <class Sink>
constexpr void put_promql(std::string_view text, Sink&& put) {
    constexpr std::string_view hex = "0123456789abcdef";
    while (!text.empty()) {
        std::size_t const size = healthz::detail::unprintable_size(text);
        for (std::size_t i = 0; i < size; ++i) {
            auto const c = static_cast<unsigned char>(text[i]);
            char const escape[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            put(std::string_view(escape, 4));
        }
        if (size == 0) {
            if (text.front() == '"' || text.front() == '\\') put("\\");
            put(text_until(text, 1));
        }
        text = text_from(text, size == 0 ? 1 : size);
    }
}

/// A rule whose expression follows.
template <class Sink>
constexpr void begin_rule(std::string_view alert, Sink&& put) {
    healthz::detail::put_pieces(put, "      - alert: ", alert, "\n        expr: |-\n          ");
}
template <class Sink>
constexpr void end_rule(std::string_view times, std::string_view severity, std::string_view summary, Sink&& put) {
    healthz::detail::put_pieces(put, "\n", times, "        labels: {severity: ", severity,
                                "}\n        annotations:\n          summary: >-\n            ", summary, "\n");
}

template <class Sink>
constexpr void write_alert_rules(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(put, "groups:\n  - name: ", d.how.name, "\n    rules:\n");
    healthz::detail::begin_rule("HealthzSourceDown", put);
    put("healthz_source_up == 0 unless on(job, instance, source_name) healthz_source_maintenance == 1");
    healthz::detail::end_rule("        for: 1m\n        keep_firing_for: 5m\n", "page",
                              "{{ $labels.source_name }} of {{ $labels.instance }} is not OK", put);
    healthz::detail::begin_rule("HealthzSourceStale", put);
    put("time() - healthz_last_check_timestamp_seconds > on(job, instance, source_name) healthz_source_worst_case_detection_seconds + 1"
        "\n          unless on(job, instance, source_name) healthz_source_maintenance == 1");
    healthz::detail::end_rule("", "page", "{{ $labels.source_name }} of {{ $labels.instance }} is no longer checked", put);
    healthz::detail::begin_rule("HealthzSourceMissing", put);
    bool first = true;
    for (auto const& row : d.rows) {
        put(first ? "absent(healthz_source_info{source_name=\"" : "\n          or absent(healthz_source_info{source_name=\"");
        healthz::detail::put_promql(row.name(), put);
        healthz::detail::put_pieces(put, "\",job=\"", d.how.name, "\"})");
        first = false;
    }
    healthz::detail::end_rule("        for: 5m\n", "ticket", "no instance has the source {{ $labels.source_name }}", put);
    healthz::detail::begin_rule("HealthzSourceFlaps", put);
    put("increase(healthz_status_changes_total[1h]) > 6");
    healthz::detail::end_rule("", "ticket", "{{ $labels.source_name }} of {{ $labels.instance }} comes and goes", put);
    healthz::detail::begin_rule("HealthzDown", put);
    healthz::detail::put_pieces(put, "up{job=\"", d.how.name, "\"} == 0");
    healthz::detail::end_rule("        for: 1m\n", "page", "{{ $labels.instance }} does not answer", put);
    healthz::detail::begin_rule("HealthzMaintenanceIsLong", put);
    put("healthz_source_maintenance == 1");
    healthz::detail::end_rule("        for: 1d\n", "ticket",
                              "{{ $labels.source_name }} of {{ $labels.instance }} is in maintenance for a day", put);
}

template <class Sink>
constexpr void write_scrape_config(declared const& d, Sink&& put) {
    tick shortest = 60000;
    for (auto const& row : d.rows)
        if (row.schedule.interval < shortest) shortest = row.schedule.interval;
    auto const seconds = healthz::detail::whole_seconds(shortest);
    healthz::detail::put_pieces(put, "scrape_configs:\n  - job_name: ", d.how.name, "\n    metrics_path: ", d.path_of("metrics"),
                                "\n    scrape_interval: ", seconds < 5 ? 5 : seconds,
                                "s\n    scrape_timeout: 5s\n    authorization: {credentials_file: ");
    d.put_secret_file(put);
    put("}\n    static_configs: [{targets: [\"");
    d.put_address(put);
    healthz::detail::put_pieces(put, ":", d.how.port, "\"]}]\n");
}

template <class Sink>
constexpr void put_panel(unsigned id, std::string_view type, std::string_view title, std::string_view expression, std::string_view rest,
                         Sink&& put) {
    healthz::detail::put_pieces(
        put, id > 1 ? "," : "", "{\"id\":", id, ",\"type\":\"", type, "\",\"title\":\"", title,
        "\",\"gridPos\":{\"h\":8,\"w\":12,\"x\":", (id - 1) % 2 * 12, ",\"y\":", (id - 1) / 2 * 8,
        "},\"datasource\":{\"type\":\"prometheus\",\"uid\":\"${source}\"},\"targets\":[{\"refId\":\"A\",\"expr\":\"", expression,
        "\",\"legendFormat\":\"{{source_name}}\"}]", rest, "}");
}

template <class Sink>
constexpr void write_dashboard(declared const& d, Sink&& put) {
    constexpr std::string_view words =
        ",\"fieldConfig\":{\"defaults\":{\"mappings\":[{\"type\":\"value\",\"options\":{\"0\":{\"text\":\"OK\",\"color\":\"green\"},"
        "\"1\":{\"text\":\"TIMEOUT\",\"color\":\"yellow\"},\"2\":{\"text\":\"FAILED\",\"color\":\"purple\"},"
        "\"3\":{\"text\":\"ERROR\",\"color\":\"red\"}}}]},\"overrides\":[]}";
    constexpr std::string_view seconds = ",\"fieldConfig\":{\"defaults\":{\"unit\":\"s\"},\"overrides\":[]}";
    healthz::detail::put_pieces(
        put, "{\"title\":\"Sources of ", d.how.name, "\",\"uid\":\"healthz-", d.how.name,
        "\",\"schemaVersion\":37,\"refresh\":\"10s\",\"time\":{\"from\":\"now-6h\",\"to\":\"now\"},\"templating\":{\"list\":["
        "{\"name\":\"source\",\"type\":\"datasource\",\"query\":\"prometheus\"},{\"name\":\"instance\",\"type\":\"query\",\"multi\":true,\"includeAll\":true,"
        "\"datasource\":{\"type\":\"prometheus\",\"uid\":\"${source}\"},\"query\":\"label_values(healthz_build_info, instance)\"}]},\"panels\":[");
    healthz::detail::put_panel(1, "state-timeline", "Status", "hasura_source_health{instance=~\\\"$instance\\\"}", words, put);
    healthz::detail::put_panel(2, "table", "Not OK", "healthz_source_up{instance=~\\\"$instance\\\"} == 0",
                               ",\"options\":{\"showHeader\":true}", put);
    healthz::detail::put_panel(3, "timeseries", "Duration of the last check",
                               "healthz_last_check_duration_seconds{instance=~\\\"$instance\\\"}", seconds, put);
    healthz::detail::put_panel(4, "timeseries", "Time since the last check",
                               "time() - healthz_last_check_timestamp_seconds{instance=~\\\"$instance\\\"}", seconds, put);
    healthz::detail::put_panel(5, "timeseries", "Failed checks", "rate(healthz_check_failures_total{instance=~\\\"$instance\\\"}[5m])", "",
                               put);
    healthz::detail::put_panel(6, "timeseries", "Changes an hour",
                               "increase(healthz_status_changes_total{instance=~\\\"$instance\\\"}[1h])", "", put);
    put("]}\n");
}

}  // namespace healthz::detail
