// SPDX-License-Identifier: BSL-1.0
// A text setting of a prober: a literal in the declaration, or an environment variable or a file that is read at each check.
// Needs a process with an environment; links with nothing.
#pragma once

#include "environment.hpp"
#include "file.hpp"
#include "wipe.hpp"

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

/// A text that is given in the declaration (`"cache.db"`), or comes from the environment (`env("ORDERS_URL")`) or from a file
/// (`file("/run/secrets/orders")`). A literal type, with the lifetime of the literals in it. A secret belongs in a file or the
/// environment: a literal is in the program's file.
class setting {
public:
    constexpr setting() = default;
    constexpr setting(char const* literal) : text_(literal) {}
    constexpr setting(env from) : text_(from.fallback), variable_(from.variable) {}
    constexpr setting(file from) : text_(from.fallback), file_(from.path) {}

    /// Anything else does not compile.
    template <class Other>
        requires(!std::is_convertible_v<Other const&, char const*>)
    constexpr setting(Other const&) {
        static_assert(std::is_void_v<Other>,
                      "healthz: a setting is a text in quotes, healthz::env(...) or healthz::file(...), no number and no std::string");
    }

    /// Whether the declaration has a value; for settings that may be left out.
    constexpr bool given() const { return text_ != nullptr || variable_ != nullptr || file_ != nullptr; }

    /// For the `complaint` of a prober that cannot do without: the sentence where no text was given, else null.
    constexpr char const* required(char const* sentence) const {
        return variable_ == nullptr && file_ == nullptr && (text_ == nullptr || *text_ == '\0') ? sentence : nullptr;
    }

    /// The file that the text comes from; null for none.
    constexpr char const* path() const { return file_; }

    /// The text; a variable's as it was when the environment was last read, see `read_environment`; a file's as it is now, without the
    /// line break at its end. Thread safe; blocks only for a file, as its file system does. Returns nothing, and the sentence for a FAILED
    /// in `problem`, if the variable is not set, the file cannot be read, or the text is empty; `what` names the setting.
    std::optional<std::string> read(std::string_view what, std::string& problem) const {
        if (file_ != nullptr) return from_file(problem);
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

    /// The same for a setting that is a path: that of a `file(...)` is the path which stands there.
    std::optional<std::string> read_path(std::string_view what, std::string& problem) const {
        if (file_ != nullptr) return file_;
        return read(what, problem);
    }

    /// How to name this setting in a message without showing its value.
    std::string name(std::string_view what) const {
        if (file_ != nullptr) return "file '" + std::string(file_) + "'";
        if (from_environment()) return "environment variable '" + std::string(variable_) + "'";
        return "the setting '" + std::string(what) + "'";
    }

private:
    std::optional<std::string> from_file(std::string& problem) const {
        auto found = detail::read_file(file_);
        if (found.error == ENOENT && text_ != nullptr) found.text = text_;
        if (found.text && !found.text->empty() && found.text->find('\0') == found.text->npos) return std::move(found.text);
        problem = "file '" + std::string(file_) + "'";
        if (!found.text) {
            problem += found.error == EINVAL ? " is no regular file" : ": " + std::generic_category().message(found.error);
        } else {
            problem += found.text->empty() ? " is empty" : " holds a zero byte";
            detail::wipe(found.text->data(), found.text->size());
        }
        return std::nullopt;
    }

    std::optional<std::string> from_environment() const {
        if (variable_ == nullptr) return std::nullopt;
        return detail::environment::shared().get(variable_);
    }

    char const* text_ = nullptr;
    char const* variable_ = nullptr;
    char const* file_ = nullptr;
};

}  // namespace healthz
