// SPDX-License-Identifier: BSL-1.0
// A user of the conformance suite, without any test framework.
#include <conformance.hpp>
#include <healthz/probers/dns.hpp>

#include <cstdio>

struct subject {
    static constexpr char const* name = "dns";
    static constexpr healthz::dns prober{.name = healthz::env(test::place_variable)};
    static constexpr std::chrono::milliseconds deadline{500};

    std::string place() const { return "localhost"; }
    std::string place_at(std::string const& host, std::string const&) const { return host; }
};

int main() {
    test::fault_table const table(R"(
| fault | probers | verdict | message | quotes | told |
|---|---|---|---|---|---|
| none | dns | OK | - | - | at once |
| name does not resolve | dns | ERROR | name not resolved | `no-such-host` | at once |
)");
    subject one;
    bool good = true;
    for (auto const& each : test::conformance<subject>(one, table).run()) {
        std::printf("%s: %s %s\n", each.fault.c_str(), each.seen.c_str(), each.complaint.c_str());
        good = good && each.complaint.empty();
    }
    return good ? 0 : 1;
}
