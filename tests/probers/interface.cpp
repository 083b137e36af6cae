// SPDX-License-Identifier: BSL-1.0
// interface on a network of its own: a pair of Ethernet interfaces, each of which is the other's cable.
#include <healthz/probers/interface.hpp>
#include "support.hpp"
#include "system.hpp"

#include <sched.h>

using namespace test;
using healthz::env;
using healthz::interface;

TEST_CASE("interface: it is there, up, has carrier and an address, or lacks one of these") {
    std::vector<std::pair<std::string, std::string>> steps;  // what was done, and what was found then
    bool is_alone = false;
    std::thread([&] {
        is_alone = ::unshare(CLONE_NEWNET) == 0;
        auto const run = [](std::string const& command) { return std::system(("ip " + command + " >/dev/null 2>&1").c_str()) == 0; };
        if (!is_alone || !run("link add left type veth peer name right")) return;
        auto const becomes = [&](std::string const& command, interface const& asked, std::string const& wanted) {
            std::string found = run(command) ? "" : "not done";
            // The kernel tells of a carrier a moment later.
            eventually([&] { return found == "not done" || (found = look(asked)) == wanted; });
            steps.emplace_back(command, found == wanted ? "as wanted" : found + " instead of " + wanted);
        };
        interface const left{.name = "left"}, any{.name = "left", .address = interface::any};
        interface const v4{.name = "left", .address = interface::ipv4}, v6{.name = "left", .address = interface::ipv6};
        becomes("link", left, error("interface is down", "left"));
        becomes("link", interface{.name = "lef"}, error("no such interface", "lef"));
        becomes("link", interface{.name = "lo"}, error("interface is down", "lo"));
        becomes("link set lo up", interface{.name = "lo", .address = interface::ipv4}, "OK null");
        becomes("link set left up", left, error("interface has no carrier", "left"));
        becomes("link set right up", left, "OK null");
        bool const has_ipv6 = std::filesystem::exists("/proc/net/if_inet6");
        if (has_ipv6) becomes("-6 addr add fe80::1/64 dev left nodad", any, error("interface has no address", "left"));
        becomes("addr add 169.254.1.2/16 dev left", any, error("interface has no address", "left"));
        becomes("link", v4, error("interface has no address", "left: IPv4"));
        becomes("link", v6, error("interface has no address", "left: IPv6"));
        becomes("addr add 192.0.2.1/24 dev left label left:1", v4, "OK null");
        becomes("link", any, "OK null");
        becomes("link", v6, error("interface has no address", "left: IPv6"));
        becomes("addr del 192.0.2.1/24 dev left", v4, error("interface has no address", "left: IPv4"));
        if (has_ipv6) becomes("addr add 2001:db8::1/64 dev left nodad", v6, "OK null");
        if (has_ipv6) becomes("link", any, "OK null");
        becomes("link", v4, error("interface has no address", "left: IPv4"));
        becomes("link set right down", left, error("interface has no carrier", "left"));
        becomes("link set right up", left, "OK null");
        becomes("link set left mode dormant state dormant", left, error("interface is not operational", "left: it has carrier only"));
        becomes("link set left down", any, error("interface is down", "left"));
        becomes("link del left", any, error("no such interface", "left"));
    }).join();
    if (!is_alone || steps.empty()) {
        WARN("skipped: this process may not make a network of its own");
        return;
    }
    for (auto const& [done, found] : steps) {
        INFO("ip " << done);
        CHECK(found == "as wanted");
    }
}

TEST_CASE("interface: what needs no network of its own") {
    CHECK(look(interface{.name = "\xE4\xFF"}) == error("no such interface", "\uFFFD\uFFFD"));
    CHECK(look(interface{.name = "a name that is longer than any may be"}) ==
          error("no such interface", "a name that is longer than any may be"));
    CHECK(look(interface{.name = env("GATEWAY_UNSET")}) == R"(FAILED "environment variable 'GATEWAY_UNSET' not set")");
    CHECK(look(interface{}) == R"(FAILED "the setting 'name' is not set")");
    static_assert(interface{}.complaint() != nullptr && interface{.name = "eth0"}.complaint() == nullptr);
    static_assert(interface{.name = env("UPLINK", "eth0"), .address = interface::any}.complaint() == nullptr);
    static_assert(!healthz::may_block<interface>());
    auto const descriptors = open_descriptors();
    for (int i = 0; i < 1000; ++i) look(interface{.name = "lo"});
    CHECK(open_descriptors() == descriptors);
}
