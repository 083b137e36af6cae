// SPDX-License-Identifier: BSL-1.0
// The usual authorisation policy: a request needs the admin secret.
// Needs a process with an environment; links with nothing.
#pragma once

#include "../endpoint.hpp"
#include "file.hpp"
#include "setting.hpp"
#include "wipe.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz {

namespace detail {

/// The digest of a secret, or why there is none.
struct secret_digest {
    std::optional<digest> known;
    std::string problem;
};
inline secret_digest read_digest(setting const& from) {
    secret_digest result;
    auto secret = from.read("admin_secret", result.problem);
    if (secret && secret->size() > max_secret_size) {
        result.problem = from.name("admin_secret") + " is longer than " + std::to_string(max_secret_size) + " bytes";
    } else if (secret) {
        result.known = healthz::sha256(*secret);
    }
    if (secret) healthz::detail::wipe(secret->data(), secret->size());
    return result;
}

/// The digests of secrets in files, which are read again once the files were replaced. Thread safe.
class secrets_in_files {
public:
    /// Each of these is `file(...)`, and was read.
    explicit secrets_in_files(std::vector<std::pair<setting, digest>> secrets) : secrets_(std::move(secrets)), watch_(paths_of(secrets_)) {
        watch_.changed();
    }

    /// Whether it is one of them. Reads a file that was replaced, in the time that its file system takes; where that has no secret, the one
    /// before still counts.
    bool have(digest const& offered) {
        std::lock_guard lock(mutex_);
        bool const changed = watch_.changed();
        bool found = false;
        for (auto& [from, known] : secrets_) {
            if (changed) known = read_digest(from).known.value_or(known);
            found |= healthz::same_digest(offered, known);
        }
        return found;
    }

private:
    static std::vector<std::string> paths_of(std::vector<std::pair<setting, digest>> const& secrets) {
        std::vector<std::string> paths;
        for (auto const& [from, known] : secrets) paths.emplace_back(from.path());
        return paths;
    }

    std::mutex mutex_;
    std::vector<std::pair<setting, digest>> secrets_;
    file_watch watch_;
};

}  // namespace detail

/// A request with one of these secrets is the admin's: `admin_secret(env("HEALTHZ_ADMIN_SECRET"))`; two allow rotation. They
/// are read when the policy is made, those in a `file(...)` again within a second after the file was replaced, and only their digests are
/// kept. If one is missing, empty or longer than `max_secret_size` at the start, `problem` says so and no secret is accepted; a file that
/// has none later on leaves the one before in force.
class admin_secret {
public:
    template <class... More>
    explicit admin_secret(setting first, More... more) {
        healthz::read_environment();
        std::vector<std::pair<setting, digest>> in_files;
        for (setting const& each : {first, setting(more)...}) {
            auto const found = healthz::detail::read_digest(each);
            if (problem_.empty()) problem_ = found.problem;
            if (found.known && each.path() != nullptr) in_files.emplace_back(each, *found.known);
            else if (found.known) digests_.push_back(*found.known);
        }
        if (!in_files.empty()) files_ = std::make_shared<detail::secrets_in_files>(std::move(in_files));
    }

    static constexpr bool needs_secret() { return true; }

    /// Compares digests, all of them, each in constant time.
    bool accepts(std::string_view secret) const {
        if (secret.size() > max_secret_size) return false;
        auto const offered = healthz::sha256(secret);
        bool accepted = files_ && files_->have(offered);
        for (auto const& known : digests_) accepted |= healthz::same_digest(offered, known);
        return accepted && problem_.empty();
    }

    /// Why this policy cannot work, such as `environment variable 'HEALTHZ_ADMIN_SECRET' not set`; else empty.
    std::string const& problem() const { return problem_; }

private:
    std::vector<digest> digests_;
    std::shared_ptr<detail::secrets_in_files> files_;
    std::string problem_;
};

}  // namespace healthz
