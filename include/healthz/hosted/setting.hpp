// SPDX-License-Identifier: BSL-1.0
// A text setting of a prober: a literal in the declaration, or an environment variable that is looked up at each check.
// Needs a process with an environment; links with nothing.
#pragma once

#include "environment.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace healthz {

/// Names an environment variable, and the value to use if it is not set.
struct env {
    char const* variable;
    char const* fallback;

    constexpr explicit env(char const* name, char const* otherwise = nullptr) : variable(name), fallback(otherwise) {}
};

/// A text that is given in the declaration (`"cache.db"`) or comes from the environment (`env("ORDERS_URL")`). A literal
/// type, with the lifetime of the literals in it. A secret belongs in the environment: a literal is in the program's file.
class setting {
public:
    constexpr setting() = default;
    constexpr setting(char const* literal) : text_(literal) {}
    constexpr setting(env from) : text_(from.fallback), variable_(from.variable) {}

    /// Anything else does not compile.
    template <class Other>
        requires(!std::is_convertible_v<Other const&, char const*>)
    constexpr setting(Other const&) {
        static_assert(std::is_void_v<Other>, "healthz: a setting is a text in quotes or healthz::env(...), no number and no std::string");
    }

    /// Whether the declaration has a value; for settings that may be left out.
    constexpr bool given() const { return text_ != nullptr || variable_ != nullptr; }

    /// For the `complaint` of a prober that cannot do without: the sentence where no text was given, else null.
    constexpr char const* required(char const* sentence) const {
        return variable_ == nullptr && (text_ == nullptr || *text_ == '\0') ? sentence : nullptr;
    }

    /// The text; a variable's as it was when the environment was last read, see `read_environment`. Thread safe. Returns nothing,
    /// and the sentence for a FAILED in `problem`, if the variable is not set or the text is empty; `what` names the setting.
    std::optional<std::string> read(std::string_view what, std::string& problem) const {
        auto value = from_environment();
        bool const from_variable = value.has_value();
        if (!value && text_ != nullptr) value = text_;
        if (value && !value->empty()) return value;
        if (variable_ == nullptr) {
            problem = "the setting '" + std::string(what) + "' is not set";
        } else {
            problem = "environment variable '" + std::string(variable_) + (from_variable ? "' is empty" : "' not set");
        }
        return std::nullopt;
    }

    /// How to name this setting in a message without showing its value.
    std::string name(std::string_view what) const {
        if (from_environment()) return "environment variable '" + std::string(variable_) + "'";
        return "the setting '" + std::string(what) + "'";
    }

private:
    std::optional<std::string> from_environment() const {
        if (variable_ == nullptr) return std::nullopt;
        return detail::environment::shared().get(variable_);
    }

    char const* text_ = nullptr;
    char const* variable_ = nullptr;
};

}  // namespace healthz
