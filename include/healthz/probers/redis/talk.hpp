// SPDX-License-Identifier: BSL-1.0
// What is said to a Redis server, what it answers, and what its errors mean: its protocol without a connection.
// Links with nothing.
#pragma once

#include "../../hosted/redact.hpp"
#include "../../outcome.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace healthz::detail {

/// A command as RESP has it. The words may hold any bytes.
template <class... Words>
std::string redis_command(Words const&... words) {
    std::string command = "*" + std::to_string(sizeof...(words)) + "\r\n";
    for (std::string_view word : {std::string_view(words)...}) {
        command += "$" + std::to_string(word.size()) + "\r\n";
        command.append(word) += "\r\n";
    }
    return command;
}

/// The first line of an answer, which begins with its type, as it comes.
class redis_answer {
public:
    /// Where the next bytes go; empty when there is nothing more to read.
    std::span<char> room() {
        if (end_ != std::string_view::npos) return {};
        return std::span(line_).subspan(size_);
    }
    /// So many have come there.
    void take(std::size_t count) {
        size_ += count;
        end_ = std::string_view(line_, size_).find("\r\n");
    }

    bool has_begun() const { return size_ > 0; }
    /// Whether the line is there, and nothing after it, which would be no answer to the command.
    bool is_complete() const { return end_ != std::string_view::npos && end_ + 2 == size_; }
    bool is(char type) const { return is_complete() && text().starts_with(type); }
    /// The line without its end, or as much as came.
    std::string_view text() const { return {line_, std::min(size_, end_)}; }

private:
    char line_[1024]{};  // an outcome keeps less
    std::size_t size_ = 0;
    std::size_t end_ = std::string_view::npos;
};

/// What an answer that was not hoped for means: what its code says, else `otherwise`, and the rest of the sentence. What the server
/// says that is not known may quote what it was sent, and so is shown only where nothing of `hidden` is in it.
template <class Outcome>
Outcome redis_error(std::string_view answer, secrets const& hidden, std::string_view otherwise) {
    constexpr std::string_view known[][3] = {
        {"LOADING ", "server is loading its data", "the server is loading its data"},
        {"MASTERDOWN ", "replica has lost its master", "the replica has lost its master"},
        {"BUSY ", "server is busy with a script", "the server is busy with a script"},
        {"MISCONF ", "server cannot save its data", "the server cannot save its data"},
        {"NOAUTH ", "password required", "a password is required"},
        {"WRONGPASS ", "authentication failed", "wrong user or password"},
        {"NOPERM ", "permission denied", "the user may not do this"},
    };
    constexpr std::string_view sentences[] = {
        "WRONGPASS invalid username-password pair or user is disabled.",
        "NOAUTH Authentication required.",
        "NOPERM this user has no permissions to run the '*' command*",
        "NOPERM this user has no permissions to access *",
        "NOPERM User * has no permissions to run the '*' command",
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "ERR DB index is out of range",
        "ERR max number of clients reached",
        "ERR invalid password",
        "ERR Client sent AUTH, but no password is set",
        ("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration "
         "is correct?"),
        "ERR unknown command '*', with args beginning with: *",
    };
    if (!answer.starts_with('-')) return Outcome::error("protocol error", hidden.shown(answer));
    auto const text = answer.substr(1);
    auto const sentence = hidden.known(text, sentences);
    for (auto const& [code, message, meaning] : known)
        if (text.starts_with(code)) return Outcome::error(message, sentence.value_or(std::string(code).append(meaning)));
    return Outcome::error(otherwise, sentence ? *sentence : hidden.shown(text));
}

}  // namespace healthz::detail
