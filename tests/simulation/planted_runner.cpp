// SPDX-License-Identifier: BSL-1.0
// One runner only, whose probes are of all kinds: what a planted bug of runners is looked for in.
#include "parts.hpp"
#include "runner.hpp"

namespace simulation {

namespace {
add_parts const added{{"runner-small-2", 14, hour / 15, &run_runner<216, 14, scale::small>}};

}  // namespace
}  // namespace simulation
