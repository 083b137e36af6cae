// SPDX-License-Identifier: BSL-1.0
// A setting that says whether a source is there where the program runs: when(env("USE_REDIS", "true"), prober).
// Needs a process with an environment; links with nothing.
#pragma once

#include "../when.hpp"
#include "file.hpp"
#include "setting.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// A setting that is `true` or `false`, read at each check. Anything else is no answer, and makes its source FAILED.
struct switch_setting {
    setting from;

    struct answer {
        bool is_there;
        std::string problem;  ///< why it is unclear; does not have the text, which may be a secret in the wrong place
    };

    constexpr switch_setting(setting const& text) : from(text) {}

    constexpr char const* complaint() const {
        std::string_view const otherwise = from.text() != nullptr ? from.text() : "";
        if (!otherwise.empty() && otherwise != "true" && otherwise != "false")
            return "healthz: the condition of this source is neither true nor false where its setting is not set: write "
                   "when(healthz::env(\"USE_REDIS\", \"true\"), ...)";
        return from.required("healthz: the condition of this source is empty: write when(healthz::env(\"USE_REDIS\", \"true\"), ...)");
    }

    answer operator()() const {
        std::string problem;
        auto const text = from.read("when", problem);
        if (!text) return {false, std::move(problem)};
        if (*text == "true" || *text == "false") return {*text == "true", {}};
        return {false, from.name("when") + " is neither 'true' nor 'false'"};
    }
};

template <>
struct condition_of<env> {
    using type = switch_setting;
};
template <>
struct condition_of<file> {
    using type = switch_setting;
};
template <>
struct condition_of<setting> {
    using type = switch_setting;
};

}  // namespace healthz::detail
