// SPDX-License-Identifier: BSL-1.0
// What the prober systemd_unit says of each unit that is named, for run.sh: status and error in a line.
#include <healthz/probers/systemd_unit.hpp>

#include <cstdio>

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        auto const found = healthz::systemd_unit{.unit = arguments[i]}.probe(healthz::attempt{std::chrono::seconds(2)});
        std::printf("%s %s\n", std::string(to_string(found.status())).c_str(), std::string(found.json()).c_str());
    }
}
