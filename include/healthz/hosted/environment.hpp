// SPDX-License-Identifier: BSL-1.0
// The environment of the process, copied, so that no thread reads it while another one changes it.
// Needs a process with an environment; links with nothing.
#pragma once

#include "fork.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz {

namespace detail {

/// The variables as they were when they were last read. Settings look them up here, on any thread, and never in `environ`.
/// Thread safe.
class environment {
public:
    /// The one copy. Never destroyed, since a thread that hung may use it at any time.
    static environment& shared() {
        static auto& one = make_shared();
        return one;
    }

    /// Reads all variables, on the calling thread. No other thread may change them at that time.
    void read() {
        variables now;
        for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
            std::string_view const text = *each;
            auto const equals = text.find('=');
            if (equals != text.npos) now.try_emplace(std::string(text.substr(0, equals)), text.substr(equals + 1));
        }
        std::lock_guard lock(mutex_);
        variables_ = std::move(now);
        is_read_ = true;
    }

    /// The value that `variable` had when they were read; nothing if it was not set. Reads all of them if that has not been done yet.
    std::optional<std::string> get(std::string_view variable) {
        if (!is_read()) read();
        std::lock_guard lock(mutex_);
        auto const found = variables_.find(variable);
        return found != variables_.end() ? std::optional(found->second) : std::nullopt;
    }

private:
    using variables = std::map<std::string, std::string, std::less<>>;

    environment() = default;
    static std::mutex& shared_mutex() { return shared().mutex_; }
    static environment& make_shared() {
        healthz::detail::hold_over_fork<&shared_mutex>();
        return *new environment;
    }
    bool is_read() {
        std::lock_guard lock(mutex_);
        return is_read_;
    }

    std::mutex mutex_;
    variables variables_;
    bool is_read_ = false;
};

/// The number that a text is: digits and nothing else; nothing where it is none, or one of more than 64 bits.
inline std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// The number that a variable has.
inline std::optional<std::uint64_t> number_in(std::string_view variable) {
    auto const text = environment::shared().get(variable);
    return text ? healthz::detail::whole_number(*text) : std::nullopt;
}

}  // namespace detail

/// Reads the environment again: call it after `setenv`, on the same thread. Checks that begin later use the new values. The
/// constructors of a runner, a server and an `admin_secret` call it.
inline void read_environment() { detail::environment::shared().read(); }

}  // namespace healthz
