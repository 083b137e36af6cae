// SPDX-License-Identifier: BSL-1.0
#include "runner.hpp"
#include "parts.hpp"

namespace simulation {
namespace {

add_parts const added{{"runner-decade", 50, 10 * year, &run_runner<2, 50, scale::slow>}};

}  // namespace
}  // namespace simulation
