// SPDX-License-Identifier: BSL-1.0
// The usual authorisation policy: a request needs the admin secret.
// Needs a process with an environment; links with nothing.
#pragma once

#include "../endpoint.hpp"
#include "setting.hpp"
#include "wipe.hpp"

#include <vector>

namespace healthz {

/// A request with one of these secrets is the admin's: `admin_secret(env("HEALTHZ_ADMIN_SECRET"))`; two allow rotation. They
/// are read when the policy is made, and only their digests are kept. If one is missing, empty or longer than
/// `max_secret_size`, `problem` says so and no secret is accepted.
class admin_secret {
public:
    template <class... More>
    explicit admin_secret(setting first, More... more) {
        healthz::read_environment();
        for (setting const& s : {first, setting(more)...}) {
            std::string reason;
            auto secret = s.read("admin_secret", reason);
            if (secret && secret->size() > max_secret_size)
                reason = s.name("admin_secret") + " is longer than " + std::to_string(max_secret_size) + " bytes";
            else if (secret) digests_.push_back(healthz::sha256(*secret));
            if (secret) healthz::detail::wipe(secret->data(), secret->size());
            if (problem_.empty()) problem_ = reason;
        }
    }

    static constexpr bool needs_secret() { return true; }

    /// Compares digests, all of them, each in constant time.
    bool accepts(std::string_view secret) const {
        if (secret.size() > max_secret_size) return false;
        auto const offered = healthz::sha256(secret);
        bool accepted = false;
        for (auto const& known : digests_) accepted |= healthz::same_digest(offered, known);
        return accepted && problem_.empty();
    }

    /// Why this policy cannot work, such as `environment variable 'HEALTHZ_ADMIN_SECRET' not set`; else empty.
    std::string const& problem() const { return problem_; }

private:
    std::vector<digest> digests_;
    std::string problem_;
};

}  // namespace healthz
