// SPDX-License-Identifier: BSL-1.0
#include "runner.hpp"
#include "parts.hpp"

namespace simulation {
namespace {

add_parts const added{
    {"runner-small", 12, hour / 6, &run_runner<1, 12, scale::small>},
    {"runner-1", 10, year, &run_runner<2, 10, scale::calm>},
};

}  // namespace
}  // namespace simulation
