// SPDX-License-Identifier: BSL-1.0
// Environment variables for tests: set, and read by the library.
#pragma once

#include <healthz/hosted/environment.hpp>

#include <stdlib.h>

#include <string>

namespace test {

inline void set_variable(char const* name, std::string const& value) {
    ::setenv(name, value.c_str(), 1);
    healthz::read_environment();
}

inline void unset_variable(char const* name) {
    ::unsetenv(name);
    healthz::read_environment();
}

}  // namespace test
