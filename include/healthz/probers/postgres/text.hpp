// SPDX-License-Identifier: BSL-1.0
// What may be shown of the texts of libpq and of a PostgreSQL server.
// Links with nothing.
#pragma once

#include "../../hosted/redact.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz::detail {

/// Sentences that PostgreSQL 15, PgBouncer and libpq are known to say are shown, except for a name in them that may be a
/// secret. For the commonest SQLSTATEs another sentence is replaced by one of ours; any other text is shown whole or not at all.
/// Of a long text the beginning is used, which is more than an outcome keeps.
class postgres_text {
public:
    secrets hidden;

    /// libpq's text on a connection: a sentence for each server that was tried. In its verbose form, where a server's own
    /// have their SQLSTATE: `FATAL:  28P01: password ...`.
    std::string of_connection(std::string_view text) const {
        std::string result;
        text = text.substr(0, longest);
        while (!text.empty()) {
            auto const next = std::min(text.find("\nconnection to server "), text.find("\ncould not translate host name "));
            auto one = text.substr(0, next < text.npos ? next + 1 : next);
            text.remove_prefix(one.size());
            for (std::string_view head :
                 {"connection to server at \"*\" (*), port * failed: *", "connection to server at \"*\", port * failed: *",
                  "connection to server on socket \"*\" failed: *"}) {
                auto gaps = healthz::detail::match_sentence(one, head);
                if (!gaps) continue;
                auto const body = gaps->back().from;
                gaps->pop_back();
                result += hidden.shown(one.substr(0, body), *gaps);
                one.remove_prefix(body);
                break;
            }
            std::string plain(one);
            auto const state = take_state(plain);
            result += of_query(state, plain);
        }
        return result;
    }

    /// A server's text on a query, or on a connection that was open; `state` is its SQLSTATE, or empty.
    std::string of_query(std::string_view state, std::string_view text) const {
        text = text.substr(0, longest);
        bool const ends_line = text.ends_with('\n');
        if (ends_line) text.remove_suffix(1);
        return meaning(state, text) + (ends_line ? "\n" : "");
    }

private:
    static constexpr std::size_t longest = 4096;

    std::string meaning(std::string_view state, std::string_view text) const {
        if (is_system_error(text)) return std::string(text);
        if (auto const sentence = hidden.known(text, sentences)) return *sentence;
        std::string const prefix = state.empty() ? std::string() : "SQLSTATE " + std::string(state) + ": ";
        for (auto const& [each, words] : states)
            if (state == each) return prefix + std::string(words);
        auto shown = hidden.shown(text);
        return shown == withheld ? prefix + shown : shown;
    }

    // Makes `FATAL:  28P01: password ...`, with a line on the server's source, the text that users know. Returns the SQLSTATE.
    static std::string take_state(std::string& text) {
        constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        auto const severity = text.find(":  ");
        if (severity == text.npos || text.find('\n') < severity) return {};
        auto state = text.substr(severity + 3, 5);
        if (state.size() != 5 || state.find_first_not_of(digits) != state.npos) return {};
        if (text.compare(severity + 8, 2, ": ") != 0) return {};
        text.erase(severity + 3, 7);
        if (auto const line = text.rfind("\nLOCATION:  "); line != text.npos) text.erase(line + 1);
        return state;
    }

    static bool is_system_error(std::string_view text) {
        for (std::string_view hint : {"\n\tIs the server running on that host and accepting TCP/IP connections?",
                                      "\n\tIs the server running locally and accepting connections on that socket?"})
            if (text.ends_with(hint)) text.remove_suffix(hint.size());
        for (int each : {ECONNREFUSED, ECONNRESET, ENOENT, EACCES, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EPIPE})
            if (text == std::generic_category().message(each)) return true;
        return false;
    }

    static constexpr std::string_view sentences[] = {
        "FATAL:  password authentication failed for user \"*\"",
        "FATAL:  SASL authentication failed",
        "FATAL:  no pg_hba.conf entry for host \"*\", user \"*\", database \"*\", *",
        "FATAL:  role \"*\" is not permitted to log in",
        "FATAL:  role \"*\" does not exist",
        "FATAL:  database \"*\" does not exist",
        "FATAL:  no such database: *",
        "FATAL:  permission denied for database \"*\"*",
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is shutting down",
        "FATAL:  the database system is in recovery mode",
        "FATAL:  the database system is not yet accepting connections*",
        "FATAL:  unsupported startup parameter: *",
        "FATAL:  terminating connection due to administrator command",
        "FATAL:  query_wait_timeout",
        "FATAL:  server login has been failing, try again later (server_login_retry)",
        "ERROR:  relation \"*\" does not exist*",
        "ERROR:  column \"*\" does not exist*",
        "ERROR:  permission denied for *",
        "ERROR:  syntax error at or near \"*\"*",
        "ERROR:  division by zero",
        "ERROR:  canceling statement due to user request",
        "ERROR:  canceling statement due to lock timeout",
        "ERROR:  cannot execute * in a read-only transaction",
        "could not translate host name \"*\" to address: *",
        "fe_sendauth: no password supplied",
        "server does not support SSL, but SSL was required",
        "SSL error: certificate verify failed",
        "server certificate for \"*\" does not match host name \"*\"",
        ("root certificate file \"*\" does not exist\nEither provide the file or change sslmode to disable server certificate "
         "verification."),
        "session is read-only",
        "session is not read-only",
        "server is in hot standby mode",
        "server is not in hot standby mode",
        ("server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or "
         "while processing the request."),
    };

    static constexpr std::pair<std::string_view, std::string_view> states[] = {
        {"28P01", "password authentication failed"},
        {"3D000", "the database does not exist"},
        {"42501", "permission denied"},
        {"53100", "the disk is full"},
        {"53200", "out of memory"},
        {"53300", "too many connections"},
        {"57P01", "the connection was ended by an administrator"},
        {"57P02", "the connection was ended since another server process crashed"},
        {"57P03", "the database system accepts no connections now"},
        {"57P04", "the database was dropped"},
        {"57P05", "the session was idle for too long"},
    };
};

}  // namespace healthz::detail
