// SPDX-License-Identifier: BSL-1.0
// Usage: test_simulation [--seed N|random] [--years Y] [--part NAME]
//
// Simulates the library beside a model of it, in simulated time, and says where they differ. tests/README.md says what is simulated.
#include "parts.hpp"

#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

namespace {

using simulation::moment;
using simulation::part;
using simulation::year;

struct options {
    std::uint64_t seed = 1;
    double years = 0;  ///< 0: as long as each part says
    std::string part;  ///< the beginning of its name
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
std::string days(moment t) {
    auto const tenths = t / (simulation::day / 10);
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

bool run(part const& p, options const& chosen, char const* program) {
    auto const lasts = chosen.years > 0 ? static_cast<moment>(chosen.years * static_cast<double>(year)) : p.lasts;
    auto const began = cpu_seconds();
    try {
        auto const done = p.run(chosen.seed, lasts);
        std::printf("%-16s %2d sources, %7s days:", p.name, p.sources, days(lasts).c_str());
        auto const put = [](long long count, char const* what) {
            if (count > 0) std::printf(" %lld %s,", count, what);
        };
        put(done.attempts, "attempts"), put(done.checks, "checks"), put(done.polls, "polls"), put(done.disturbances, "disturbances");
        put(done.detections, "deaths detected"), put(done.meals, "meals of the watchdog"), put(done.documents, "documents parsed");
        std::printf(" %.1f s of CPU\n", cpu_seconds() - began);
        return true;
    } catch (simulation::difference const& d) {
        std::printf("%s: FAILED after %.1f s of CPU: %s\n  to replay: %s --part %s --seed %llu\n", p.name, cpu_seconds() - began, d.what(),
                    program, p.name, static_cast<unsigned long long>(chosen.seed));
        return false;
    }
}

}  // namespace

int main(int argc, char** argv) {
    options chosen;
    for (int i = 1; i < argc; i += 2) {
        std::string_view const option = argv[i];
        bool const known = i + 1 < argc && (option == "--seed" || option == "--years" || option == "--part");
        if (!known) return std::fprintf(stderr, "usage: %s [--seed N|random] [--years Y] [--part NAME]\n", argv[0]), 2;
        std::string const value = argv[i + 1];
        if (option == "--seed") chosen.seed = value == "random" ? std::random_device()() : std::stoull(value);
        if (option == "--years") chosen.years = std::stod(value);
        if (option == "--part") chosen.part = value;
    }
    std::printf("seed %llu\n", static_cast<unsigned long long>(chosen.seed));
    int passed = 0, failed = 0;
    auto const run_if_chosen = [&](part const& p) {
        if (!std::string_view(p.name).starts_with(chosen.part)) return;
        (run(p, chosen, argv[0]) ? passed : failed) += 1;
        std::fflush(stdout);
    };
    for (auto const& each : simulation::parts()) run_if_chosen(each);
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
