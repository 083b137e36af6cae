// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: an outcome holds between 32 and 65535 bytes of text
#include <healthz.hpp>

#ifdef TWIN
auto const failed = healthz::failed<32>("no url");
#else
auto const failed = healthz::failed<31>("no url");
#endif
