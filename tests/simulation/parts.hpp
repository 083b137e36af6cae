// SPDX-License-Identifier: BSL-1.0
// The parts of a program: each file of parts adds its own.
#pragma once

#include "simulation.hpp"

#include <vector>

namespace simulation {

inline std::vector<part>& parts() {
    static std::vector<part> all;
    return all;
}

/// Adds parts before `main` begins.
struct add_parts {
    add_parts(std::initializer_list<part> some) { parts().insert(parts().end(), some.begin(), some.end()); }
};

}  // namespace simulation
