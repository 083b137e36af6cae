// SPDX-License-Identifier: BSL-1.0
// EXPECT: a function of the user's was found by a call that means one of ours
// NAMES: decide
#include "../hostile_names.hpp"

#include <healthz.hpp>

namespace hostile {
struct policy : healthz::allow_unauthenticated {};
}  // namespace hostile

namespace healthz {
constexpr auto answer_to(endpoint_request const& request, auto const& policy) {
#ifdef TWIN
    return healthz::decide(request, default_path, policy);
#else
    return decide(request, default_path, policy);
#endif
}
}  // namespace healthz

static_assert(healthz::answer_to({.method = "GET", .target = "/healthz/sources"}, hostile::policy{}) == healthz::answer::document);
