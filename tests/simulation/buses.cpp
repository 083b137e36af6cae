// SPDX-License-Identifier: BSL-1.0
#include "monitor.hpp"
#include "parts.hpp"

namespace simulation {
namespace {

add_parts const added{
    {"monitor-bus-small-1", 10, hour, &run_monitor<21, 10, scale::small, 1>},
    {"monitor-bus-small-2", 16, hour, &run_monitor<22, 16, scale::small, 2>},
    {"monitor-bus", 10, year, &run_monitor<23, 10, scale::real, 2>},
};

}  // namespace
}  // namespace simulation
