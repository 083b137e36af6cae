// SPDX-License-Identifier: BSL-1.0
#include "runner.hpp"
#include "parts.hpp"

namespace simulation {
namespace {

add_parts const added{
    {"runner-small-1", 14, hour / 15, &run_runner<58, 14, scale::small>},
    {"runner-small-2", 14, hour / 15, &run_runner<216, 14, scale::small>},
};

}  // namespace
}  // namespace simulation
