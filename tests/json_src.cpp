// SPDX-License-Identifier: BSL-1.0
// The implementation of Boost.JSON, which exists once in a program.
#include <boost/json/src.hpp>
