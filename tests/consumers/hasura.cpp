// SPDX-License-Identifier: BSL-1.0
// A user of Hasura's metadata, which a build step has put into a header.
#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>

#include <metadata.hpp>

struct sensor {
    healthz::setting url;
    healthz::outcome probe() const { return url.given() ? healthz::ok() : healthz::failed("no url"); }
};

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"sensor", sensor>>();

int main() {
    healthz::monitor<sources> monitor;
    for (healthz::tick now = 0; monitor.report().pending() != 0; ++now) monitor.poll(now);
    return monitor.report().is(healthz::index_of<sources, "default">(), healthz::status::ok) ? 0 : 1;
}
