// SPDX-License-Identifier: BSL-1.0
// The usual authorisation policy: a request needs the admin secret.
// Needs a process with an environment; links with nothing.
#pragma once

#include "../endpoint.hpp"
#include "../sha256.hpp"
#include "environment.hpp"
#include "file.hpp"
#include "setting.hpp"
#include "wipe.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz {

namespace detail {

/// Whether a header field can carry a text as it is (RFC 9110, 5.5).
inline bool fits_in_field(std::string_view text) {
    auto const is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
    return !text.empty() && text.front() != ' ' && text.back() != ' ' && std::none_of(text.begin(), text.end(), is_control);
}

/// The digest of a secret, or why there is none.
struct secret_digest {
    std::optional<digest> known;
    std::string problem;
};
inline secret_digest read_digest(setting const& from) {
    secret_digest result;
    auto secret = from.read("admin_secret", result.problem);
    if (!secret) return result;
    auto const name = from.name("admin_secret");
    if (secret->size() > max_secret_size) result.problem = name + " is longer than " + std::to_string(max_secret_size) + " bytes";
    else if (!healthz::detail::fits_in_field(*secret))
        result.problem = name + " has a blank at an end or a control character, which no header can carry";
    else result.known = healthz::sha256(*secret);
    healthz::detail::wipe(secret->data(), secret->size());
    return result;
}

/// The digests of secrets in files, which are read again once the files were replaced. Thread safe.
class secrets_in_files {
public:
    /// Each of these is `file(...)`.
    explicit secrets_in_files(std::vector<setting> const& from) : watch_(paths_of(from)) {
        watch_.changed();  // before they are read
        for (auto const& each : from) secrets_.push_back({each, {}, {}});
        read();
    }

    /// Why one of them has no secret now; else empty.
    std::string problem() {
        std::lock_guard lock(mutex_);
        for (auto const& each : secrets_)
            if (!each.problem.empty()) return each.problem;
        return {};
    }

    /// Whether it is one of them. Reads files that were replaced, in the time that their file system takes; where one has no secret, the
    /// one before counts, and it is read again a second later.
    bool have(digest const& offered) {
        std::lock_guard lock(mutex_);
        if (watch_.changed()) read();
        bool found = false;
        for (auto const& each : secrets_) found |= each.known && healthz::same_digest(offered, *each.known);
        return found;
    }

    /// Sets what is told in a sentence that a file has no secret any more; an empty one for nobody. It must not ask for a secret.
    void on_problem(std::function<void(std::string)> handler) {
        std::lock_guard lock(mutex_);
        on_problem_ = std::move(handler);
    }

private:
    struct secret {
        setting from;
        std::optional<digest> known;
        std::string problem;
    };

    static std::vector<std::string> paths_of(std::vector<setting> const& from) {
        std::vector<std::string> paths;
        std::string problem;  // none, since each is a file
        paths.reserve(from.size());
        for (auto const& each : from) paths.push_back(*each.read_path({}, problem));
        return paths;
    }

    void read() {
        for (auto& each : secrets_) {
            auto found = healthz::detail::read_digest(each.from);
            if (found.known) each.known = found.known;
            else watch_.read_again();
            bool const is_news = !found.problem.empty() && found.problem != each.problem;
            each.problem = std::move(found.problem);
            if (is_news && on_problem_) on_problem_(each.problem + "; the secret before is still accepted");
        }
    }

    std::mutex mutex_;
    std::vector<secret> secrets_;
    file_watch watch_;
    std::function<void(std::string)> on_problem_;
};

}  // namespace detail

/// A request with one of these secrets is the admin's: `admin_secret(env("HEALTHZ_ADMIN_SECRET"))`; two allow rotation. They
/// are read when the policy is made, those in a `file(...)` again within a second after the file was replaced, and only their digests are
/// kept. If one is missing, empty, longer than `max_secret_size` or nothing that a header can carry, `problem` says so and no secret is
/// accepted. A file that has none later on leaves the one before in force, and a server tells its `on_error`: to revoke a secret, replace
/// it.
class admin_secret {
public:
    template <class... More>
    explicit admin_secret(setting first, More... more) {
        healthz::read_environment();
        std::vector<setting> in_files;
        for (setting const& each : {first, setting(more)...}) {
            if (each.path() != nullptr) {
                in_files.push_back(each);
                continue;
            }
            auto const found = healthz::detail::read_digest(each);
            if (problem_.empty()) problem_ = found.problem;
            if (found.known) digests_.push_back(*found.known);
        }
        if (in_files.empty()) return;
        files_ = std::make_shared<detail::secrets_in_files>(in_files);
        if (problem_.empty()) problem_ = files_->problem();
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

    /// Sets what is told, on the thread that asks, if a file has no secret any more; copies of a policy share it.
    void on_problem(std::function<void(std::string)> handler) const {
        if (files_) files_->on_problem(std::move(handler));
    }

    /// Why this policy cannot work, such as `environment variable 'HEALTHZ_ADMIN_SECRET' not set`; else empty.
    std::string const& problem() const { return problem_; }

private:
    std::vector<digest> digests_;
    std::shared_ptr<detail::secrets_in_files> files_;
    std::string problem_;
};

}  // namespace healthz
