// SPDX-License-Identifier: BSL-1.0
// One declaration only, at the speed of life: what a planted bug is looked for in.
#include "monitor.hpp"
#include "parts.hpp"

namespace simulation {

namespace {
add_parts const added{{"monitor-1", 10, 10 * year, &run_monitor<1, 10, scale::real>}};

}  // namespace
}  // namespace simulation
