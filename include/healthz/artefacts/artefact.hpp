// SPDX-License-Identifier: BSL-1.0
// What a declaration writes about itself, so that none of it can drift: each by its name.
// Part of the core.
#pragma once

#include "declared.hpp"
#include "documentation.hpp"
#include "prometheus.hpp"
#include "supervisors.hpp"

#include <array>
#include <concepts>
#include <string_view>

namespace healthz {

namespace detail {

/// One artefact: which view it needs, if any.
struct artefact_entry {
    std::string_view name, about, role;
};
inline constexpr std::array artefact_entries{
    artefact_entry{"alert-rules", "alert rules of Prometheus, one for each source that is missing", "metrics"},
    artefact_entry{"scrape-config", "a scrape configuration of Prometheus", "metrics"},
    artefact_entry{"dashboard", "a dashboard of Grafana", "metrics"},
    artefact_entry{"kubernetes", "the probes of a container", ""},
    artefact_entry{"dockerfile", "a HEALTHCHECK", "live"},
    artefact_entry{"systemd", "a unit", ""},
    artefact_entry{"haproxy", "a backend of HAProxy", "ready"},
    artefact_entry{"openapi", "an OpenAPI document of the views", ""},
    artefact_entry{"table", "the sources in Markdown", ""},
};

}  // namespace detail

/// Calls `f` with the name of each artefact, and what it is.
template <std::invocable<std::string_view, std::string_view> F>
constexpr void for_each_artefact(F f) {
    for (auto const& each : detail::artefact_entries) f(each.name, each.about);
}

/// Streams the artefact `name` of a declaration and its views into `put`. False, and nothing was written: there is no such artefact, or
/// `Views` lack the view that it is about.
template <auto const& Sources, auto const& Views, std::invocable<std::string_view> Sink>
constexpr bool write_artefact(std::string_view name, deployment const& how, Sink&& put) {
    auto const d = healthz::detail::declared_by<Sources, Views>(how);
    for (auto const& each : detail::artefact_entries)
        if (each.name == name && !each.role.empty() && d.path_of(each.role).empty()) return false;
    if (name == "kubernetes" && d.path_of("startup").empty() && d.path_of("live").empty() && d.path_of("ready").empty()) return false;
    if (name == "alert-rules") healthz::detail::write_alert_rules(d, put);
    else if (name == "scrape-config") healthz::detail::write_scrape_config(d, put);
    else if (name == "dashboard") healthz::detail::write_dashboard(d, put);
    else if (name == "kubernetes") healthz::detail::write_kubernetes_probes(d, put);
    else if (name == "dockerfile") healthz::detail::write_healthcheck(d, put);
    else if (name == "systemd") healthz::detail::write_systemd_unit(d, put);
    else if (name == "haproxy") healthz::detail::write_haproxy_backend(d, put);
    else if (name == "openapi") healthz::detail::write_openapi(d, put);
    else if (name == "table") healthz::detail::write_source_table(d, put);
    else return false;
    return true;
}

}  // namespace healthz
