// SPDX-License-Identifier: BSL-1.0
#include "monitor.hpp"
#include "parts.hpp"

namespace simulation {
namespace {

add_parts const added{
    {"monitor-small-1", 10, hour, &run_monitor<11, 10, scale::small>}, {"monitor-small-2", 16, hour, &run_monitor<12, 16, scale::small>},
    {"monitor-1", 10, 10 * year, &run_monitor<1, 10, scale::real>},    {"monitor-2", 10, 10 * year, &run_monitor<2, 10, scale::real>},
    {"monitor-3", 10, 10 * year, &run_monitor<3, 10, scale::real>},    {"monitor-4", 10, 10 * year, &run_monitor<4, 10, scale::real>},
    {"monitor-5", 10, 10 * year, &run_monitor<8, 10, scale::real>},
};

}  // namespace
}  // namespace simulation
