// SPDX-License-Identifier: BSL-1.0
// A text setting of a prober: a literal in the declaration, or an environment variable or a file that is read at each check.
// Needs a process with an environment; links with nothing.
#pragma once

#include "../complaint.hpp"
#include "environment.hpp"
#include "file.hpp"
#include "wipe.hpp"

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

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

    /// The text that stands in the declaration: the setting's own, or where its variable or file lacks one; null for none.
    constexpr char const* text() const { return text_; }

    /// For the `complaint` of a prober that cannot do without: the sentence where no text was given, else null.
    constexpr char const* required(char const* sentence) const {
        return variable_ == nullptr && file_ == nullptr && (text_ == nullptr || *text_ == '\0') ? sentence : nullptr;
    }

    /// The file that the text comes from, with a '#' in it where that of a `numbered` setting has its number; null for none.
    constexpr char const* path() const { return file_; }

    /// What `numbered` makes of it.
    constexpr setting with_number(int number) const {
        auto copy = *this;
        copy.number_ = number;
        return copy;
    }
    /// Whether the name of its variable or file has a '#' for that, or its text where it has no name.
    constexpr bool has_number_place() const {
        char const* const where = variable_ != nullptr ? variable_ : file_ != nullptr ? file_ : text_;
        return where != nullptr && std::string_view(where).find('#') != std::string_view::npos;
    }

    /// The text; a variable's as it was when the environment was last read, see `read_environment`; a file's as it is now, without the
    /// line break at its end. Thread safe; blocks only for a file, as its file system does. Returns nothing, and the sentence for a FAILED
    /// in `problem`, if the variable is not set, the file cannot be read, or the text is empty; `what` names the setting.
    std::optional<std::string> read(std::string_view what, std::string& problem) const {
        if (file_ != nullptr) return from_file(problem);
        auto value = from_environment();
        bool const from_variable = value.has_value();
        if (!value && text_ != nullptr) value = filled_in(text_);
        if (value && !value->empty()) return value;
        if (variable_ == nullptr) {
            problem = "the setting '" + std::string(what) + "' is not set";
        } else {
            problem = "environment variable '" + filled_in(variable_) + (from_variable ? "' is empty" : "' not set");
        }
        return std::nullopt;
    }

    /// The same for a setting that is a path: `file("x")` is the path x, and nothing is read from that file.
    std::optional<std::string> read_path(std::string_view what, std::string& problem) const {
        if (file_ != nullptr) return filled_in(file_);
        return read(what, problem);
    }

    /// How to name this setting in a message without showing its value.
    std::string name(std::string_view what) const {
        if (file_ != nullptr) return "file '" + filled_in(file_) + "'";
        if (from_environment()) return "environment variable '" + filled_in(variable_) + "'";
        return "the setting '" + std::string(what) + "'";
    }

private:
    std::optional<std::string> from_file(std::string& problem) const {
        auto const path = filled_in(file_);
        auto found = detail::read_file(path.c_str());
        if (found.error == ENOENT && text_ != nullptr) found.text = filled_in(text_);
        if (found.text && !found.text->empty() && found.text->find('\0') == found.text->npos) return std::move(found.text);
        problem = "file '" + path + "'";
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
        return number_ < 0 ? detail::environment::shared().get(variable_) : detail::environment::shared().get(filled_in(variable_));
    }

    // With the number in the place of each '#', if there is one. Made in one piece, since it may be a secret.
    std::string filled_in(std::string_view text) const {
        if (number_ < 0) return std::string(text);
        auto const digits = std::to_string(number_);
        std::size_t size = 0;
        for (char const c : text) size += c == '#' ? digits.size() : 1;
        std::string result;
        result.reserve(size);
        for (char const c : text) {
            if (c == '#') result += digits;
            else result += c;
        }
        return result;
    }

    char const* text_ = nullptr;
    char const* variable_ = nullptr;
    char const* file_ = nullptr;
    int number_ = -1;
};

/// `from` with `number` in the place of each '#': in the name of its variable or file, and in its text. For the probers of a family:
///
///     [](int n) { return healthz::redis{.url = healthz::numbered(healthz::env("CACHE_#_URL", "redis://cache-#"), n)}; }
///
/// Compile errors, in constant expressions: no '#' in the name of the variable or file, or in the text of a literal; a negative number.
constexpr setting numbered(setting const& from, int number)
    HEALTHZ_REJECTS(!from.has_number_place(),
                    "healthz: there is no '#' where the number goes: write numbered(env(\"SHARD_#_URL\"), n), or a '#' in the text") {
    if (!from.has_number_place())
        healthz::detail::reject(
            "healthz: there is no '#' where the number goes: write numbered(env(\"SHARD_#_URL\"), n), or a '#' in the text");
    if (number < 0) healthz::detail::reject("healthz: the number of a setting is negative: write 0 or more");
    return from.with_number(number);
}

}  // namespace healthz
