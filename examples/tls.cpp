// SPDX-License-Identifier: BSL-1.0
// A server over TLS for people and Prometheus, and on a unix socket in the working directory for what probes it on this machine. Needs the
// variables TLS_CERTIFICATE and TLS_KEY, which name files, and HEALTHZ_ADMIN_SECRET.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/beast/tls.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"queue">([] { return healthz::ok(); }, {.interval = 1s, .retries = 0}));

int main() {
    return healthz::beast::serve<sources>({
        .address = "::",
        .port = 8443,
        .transport = healthz::beast::tls{.certificate = healthz::env("TLS_CERTIFICATE"), .key = healthz::env("TLS_KEY")},
        .also = {{.address = "unix:probes.sock", .shown = healthz::access::open}},
        .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")),
    });
}
