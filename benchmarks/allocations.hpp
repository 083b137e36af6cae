// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>

/// How often this process has allocated.
extern std::atomic<std::size_t> allocations;
