// SPDX-License-Identifier: BSL-1.0
// Compiled once for all tests of the core.
#pragma once

#include "catch.hpp"

#include <healthz.hpp>

#include <string>
