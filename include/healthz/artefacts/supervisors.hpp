// SPDX-License-Identifier: BSL-1.0
// For what starts a program, and what sends it requests: Kubernetes, Docker, systemd, HAProxy.
// Part of the core.
#pragma once

#include "declared.hpp"

#include <string_view>

namespace healthz::detail {

template <class Sink>
constexpr void put_http_probe(declared const& d, std::string_view name, std::string_view role, unsigned period, unsigned failures,
                              Sink&& put) {
    auto const path = d.path_of(role);
    if (path.empty()) return;
    healthz::detail::put_pieces(put, name, ":\n  httpGet: {path: ", path, ", port: ", d.how.port, "}\n  periodSeconds: ", period,
                                "\n  timeoutSeconds: 1\n  failureThreshold: ", failures, "\n");
}

/// Of a container.
template <class Sink>
constexpr void write_kubernetes_probes(declared const& d, Sink&& put) {
    put("# The kubelet asks at the address of the pod: let the program listen there, by .address = \"::\".\n");
    healthz::detail::put_http_probe(d, "startupProbe", "startup", 1, healthz::detail::whole_seconds(d.worst_case()) + 10, put);
    healthz::detail::put_http_probe(d, "livenessProbe", "live", 10, 3, put);
    healthz::detail::put_http_probe(d, "readinessProbe", "ready", 2, 1, put);
}

/// A line of a Dockerfile; the program asks itself, since an image may have no curl.
template <class Sink>
constexpr void write_healthcheck(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(put,
                                "HEALTHCHECK --interval=10s --timeout=3s --start-period=", healthz::detail::whole_seconds(d.worst_case()),
                                "s --retries=3 CMD [\"");
    d.put_program(put);
    put("\", \"--healthcheck\"]\n");
}

template <class Sink>
constexpr void write_systemd_unit(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(put, "[Unit]\nDescription=", d.how.name,
                                "\nAfter=network.target\n\n[Service]\nType=", d.how.notifies_systemd ? "notify" : "exec");
    if (d.how.notifies_systemd)  // it may be ready when all have been checked once
        healthz::detail::put_pieces(put, "\nTimeoutStartSec=", healthz::detail::whole_seconds(d.worst_case()) + 90);
    if (d.how.notifies_systemd && d.how.watchdog_seconds > 0) healthz::detail::put_pieces(put, "\nWatchdogSec=", d.how.watchdog_seconds);
    put("\nExecStart=");
    d.put_program(put);
    healthz::detail::put_pieces(
        put, "\nEnvironmentFile=-/etc/", d.how.name,
        "/environment\nRestart=on-failure\nRestartSec=1\nTimeoutStopSec=30\nDynamicUser=yes\nNoNewPrivileges=yes\n"
        "ProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\nLimitCORE=0\n\n[Install]\nWantedBy=multi-user.target\n");
}

template <class Sink>
constexpr void write_haproxy_backend(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(
        put, "backend ", d.how.name, "\n    mode http\n    option httpchk\n    http-check send meth GET uri ", d.path_of("ready"),
        " ver HTTP/1.1 hdr Host localhost\n    http-check expect status 200\n    option redispatch\n    default-server check inter 2s fastinter 500ms fall 2 rise 1\n    server ",
        d.how.name, "1 ");
    d.put_address(put);
    healthz::detail::put_pieces(put, ":", d.how.port, "\n");
}

}  // namespace healthz::detail
