// SPDX-License-Identifier: BSL-1.0
// What one attempt found out: OK, TIMEOUT, ERROR with a message, or FAILED with a reason.
// Part of the core.
#pragma once

#include "text.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz {

/// The four states of a source. The numbers are those of the gauge `hasura_source_health`; a higher one is worse.
enum class status : std::uint8_t {
    ok = 0,       ///< the test succeeded
    timeout = 1,  ///< no answer before the deadline
    failed = 2,   ///< the check could not run: its settings are wrong, or it is in maintenance; retrying cannot help
    error = 3,    ///< the check ran and met an error
};

/// The word that the document uses.
constexpr std::string_view to_string(status s) {
    constexpr std::string_view words[] = {"OK", "TIMEOUT", "FAILED", "ERROR"};
    return words[static_cast<std::size_t>(s)];
}

/// Text that already is JSON, for the `extra` of an error: a number, an object, an array. The caller vouches for it.
struct json_text {
    std::string_view text;
};

/// What one attempt found out. It holds the `error` member of the document, rendered and escaped, in at most `Capacity`
/// bytes: later stages copy it and never look inside. So an OK cannot carry an error, a FAILED always has its string and
/// an ERROR always has its message. Text that does not fit is cut between two characters; bytes that are no UTF-8 become
/// U+FFFD. Never allocates.
template <std::size_t Capacity>
class basic_outcome {
    static_assert(Capacity >= 32 && Capacity < 65536, "healthz: an outcome holds between 32 and 65535 bytes of text");

public:
    /// Bytes of rendered error.
    static constexpr std::size_t capacity = Capacity;

    /// The test succeeded.
    // Not inlined, here and below: else each probe that says `ok` or `error` has all of it, which takes time to compile.
    [[gnu::noinline]] static constexpr basic_outcome ok() { return {status::ok, "null"}; }
    /// No answer in time.
    static constexpr basic_outcome timeout() { return {status::timeout, "null"}; }

    /// The check could not run; `reason` names the setting that is wrong.
    static constexpr basic_outcome failed(std::string_view reason) {
        basic_outcome o{status::failed, "\""};
        o.append(reason.empty() ? "unspecified" : reason, 1);
        o.append_raw("\"");
        return o;
    }

    /// The check ran and met an error: `message` says it in a few words, `extra` in the driver's own text.
    [[gnu::noinline]] static constexpr basic_outcome error(std::string_view message, std::string_view extra = {}) {
        basic_outcome o{status::error, message_key};
        o.append(message.empty() ? "unspecified" : message, closing.size());
        if (!extra.empty() && o.room() > extra_key.size() + 1 + closing.size()) {
            o.append_raw(extra_key);
            o.append_raw("\"");
            o.append(extra, closing.size());
        }
        o.append_raw(closing);
        return o;
    }

    /// The same with any JSON as `extra`. JSON cannot be cut: where it does not fit, its text becomes a string that can.
    static constexpr basic_outcome error(std::string_view message, json_text extra) {
        basic_outcome o{status::error, message_key};
        o.append(message.empty() ? "unspecified" : message, closing.size());
        if (o.room() < extra_key.size() + extra.text.size() + 1 || extra.text.empty()) return error(message, extra.text);
        o.append_raw(extra_key);
        o.append_raw(extra.text);
        o.append_raw("}");
        return o;
    }

    /// What another outcome, of which this is status and `json()`, means for a whole that it is a part of: the same status and
    /// the same error, with `about` in front. Where they do not fit together, `about` alone is certain to be there.
    static constexpr basic_outcome part(std::string_view about, healthz::status part_status, std::string_view json) {
        if (part_status == status::error) return error(about, json_text{json});
        if (part_status != status::failed) return {part_status, "null"};
        std::string_view const colon = about.empty() ? "" : ": ";
        basic_outcome o{status::failed, "\""};
        o.append(about, 1);
        bool const fits = o.room() >= colon.size() + json.size() - 1;
        if (fits) o.append_raw(colon);
        o.append_raw(fits ? detail::text_from(json, 1) : std::string_view("\""));
        return o;
    }

    /// An outcome with less room converts to one with more.
    template <std::size_t Smaller>
        requires(Smaller < Capacity)
    constexpr basic_outcome(basic_outcome<Smaller> const& other) : basic_outcome(other.status(), other.json()) {}

    constexpr basic_outcome(basic_outcome const& other) : basic_outcome(other.status(), other.json()) {}
    constexpr basic_outcome& operator=(basic_outcome const& other) {
        if (this == &other) return *this;
        status_ = other.status_;
        size_ = 0;
        append_raw(other.json());
        return *this;
    }

    constexpr healthz::status status() const { return status_; }

    /// The value of the document's `error` member: `null`, a string or an object.
    constexpr std::string_view json() const { return {json_, size_}; }

private:
    static constexpr std::string_view message_key = R"({"message":")";
    static constexpr std::string_view extra_key = R"(","extra":)";
    static constexpr std::string_view closing = "\"}";

    constexpr basic_outcome(healthz::status outcome_status, std::string_view json) : status_(outcome_status) { append_raw(json); }

    constexpr std::size_t room() const { return Capacity - size_; }
    constexpr void append_raw(std::string_view text) {
        size_ = static_cast<std::uint16_t>(healthz::detail::copy_text(text, json_ + size_) - json_);
    }
    constexpr void append(std::string_view text, std::size_t keep_free) {
        auto const* const end = healthz::escape_json(text, json_ + size_, json_ + Capacity - keep_free);
        size_ = static_cast<std::uint16_t>(end - json_);
    }

    std::uint16_t size_ = 0;
    healthz::status status_;
    char json_[Capacity];  // only the first size_ bytes are ever read
};

/// The outcome for one's own probes: 128 bytes of error text.
using outcome = basic_outcome<128>;

/// The test succeeded.
constexpr outcome ok() { return outcome::ok(); }

/// No answer in time. Probers seldom need it: the monitor or runner keeps the deadline.
constexpr outcome timeout() { return outcome::timeout(); }

/// The check could not run because of its settings; `reason` names the one that is wrong.
template <std::size_t Capacity = outcome::capacity>
constexpr basic_outcome<Capacity> failed(std::string_view reason) {
    return basic_outcome<Capacity>::failed(reason);
}

/// The check met an error. `error<1024>(message, extra)` keeps more text than the 128 bytes of `error(message)`.
template <std::size_t Capacity = outcome::capacity>
constexpr basic_outcome<Capacity> error(std::string_view message, std::string_view extra = {}) {
    return basic_outcome<Capacity>::error(message, extra);
}

/// The same with JSON as `extra`.
template <std::size_t Capacity = outcome::capacity>
constexpr basic_outcome<Capacity> error(std::string_view message, json_text extra) {
    return basic_outcome<Capacity>::error(message, extra);
}

}  // namespace healthz
