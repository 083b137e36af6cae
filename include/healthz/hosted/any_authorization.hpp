// SPDX-License-Identifier: BSL-1.0
// Any policy, without its type.
// Needs the core and the standard library only.
#pragma once

#include "../endpoint.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz::detail {

/// The policy of a server or of one view. Without one it does not compile.
class any_authorization {
public:
    template <class Policy = void>
    any_authorization() {
        static_assert(!std::is_void_v<Policy>,
                      "healthz: say who may read the sources: .auth = healthz::admin_secret(...) or healthz::allow_unauthenticated{}");
    }

    template <authorization Policy>
    any_authorization(Policy policy) : needs_secret_(policy.needs_secret()) {
        if constexpr (requires { policy.problem(); }) problem_ = policy.problem();
        if constexpr (requires { policy.on_problem(std::function<void(std::string)>()); })
            on_problem_ = [kept = policy](std::function<void(std::string)> handler) { kept.on_problem(std::move(handler)); };
        accepts_ = [kept = std::move(policy)](std::string_view secret) { return kept.accepts(secret); };
    }

    /// Whatever is no policy does not compile either.
    template <class Other>
        requires(!authorization<Other>)
    any_authorization(Other const&) {
        static_assert(authorization<Other>,
                      "healthz: .auth is no policy: it takes healthz::admin_secret(...) or healthz::allow_unauthenticated{}");
    }

    bool needs_secret() const { return needs_secret_; }
    bool accepts(std::string_view secret) const { return accepts_(secret); }
    std::string const& problem() const { return problem_; }
    void on_problem(std::function<void(std::string)> handler) const {
        if (on_problem_) on_problem_(std::move(handler));
    }

private:
    bool needs_secret_;
    std::function<bool(std::string_view)> accepts_;
    std::function<void(std::function<void(std::string)>)> on_problem_;
    std::string problem_;
};

}  // namespace healthz::detail
