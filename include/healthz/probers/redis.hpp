// SPDX-License-Identifier: BSL-1.0
// redis: a Redis server (or one that speaks its protocol) answers a command.
// Needs OpenSSL, Boost.Asio and threads (for looking up names).
#pragma once

#include "../tls/connection.hpp"
#include "../hosted/login.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/url.hpp"
#include "../outcome.hpp"

namespace healthz {

/// OK when the server at `url` answers PING, or has the key `key` where one is given. A coroutine prober that speaks RESP:
/// nothing blocks the loop, names are looked up and certificates read on a worker. One connection a source, kept from check
/// to check; one that is found dead is silently opened anew once.
/// `url` is `redis://user:password@host:port/database`, where all but the host may be left out, or `rediss://` for TLS; user
/// and password are percent-encoded, the database is a number.
/// ERROR carries the server's own text, without any password, and says what it means where that is known: LOADING,
/// MASTERDOWN and others. FAILED: `url` is not set or of another form, or a file for TLS cannot be used.
struct redis {
    static constexpr char const* kind = "redis";  ///< as a label of metrics
    setting url;
    /// Instead of those in `url`.
    setting user = setting();
    setting password = setting();
    /// A key that must exist, of any type.
    char const* key = nullptr;
    /// Opens a connection for each check and closes it after.
    bool fresh = false;
    /// For `rediss://`.
    tls_options tls = tls_options();

    constexpr char const* complaint() const {
        return url.required("healthz: redis needs the URL of a server: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;
    class session;
};

/// The connection of one source. It belongs to the context of its first probe, which must outlive it.
class redis::session {
public:
    explicit session(redis const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe() {
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (!problem.empty()) co_return outcome_type::failed(problem);

        auto const address = login.put_into_url(*found);
        if (settings_.fresh || address != url_ || (link_ && !link_->is_idle())) link_.reset();
        if (address != url_) where_ = parse(address);
        url_ = address;
        if (!where_) co_return outcome_type::failed(settings_.url.name("url") + " is not a valid Redis URL");
        for (bool kept = link_ != nullptr;; kept = false) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            if (!link) {
                outcome_type opened = co_await open(link);
                if (opened.status() != status::ok) co_return opened;
            }
            bool const has_key = settings_.key != nullptr;
            auto const command = has_key ? encode("EXISTS", settings_.key) : encode("PING");
            reply const answer = co_await ask(*link, command);
            if (!answer.complete && kept) continue;
            if (answer.complete && !settings_.fresh) link_ = std::move(link);
            if (!answer.is(has_key ? ':' : '+')) co_return describe(answer, "command error");
            if (answer.text == ":0") co_return outcome_type::error("key does not exist", settings_.key);
            co_return outcome_type::ok();
        }
    }

private:
    // The first line of an answer, which begins with its type. Where it is not complete: as much as came, or why nothing did.
    struct reply {
        std::string text;
        bool received = false;
        bool complete = false;

        bool is(char type) const { return complete && text[0] == type; }
    };

    static std::optional<healthz::url> parse(std::string_view text) {
        auto where = healthz::url::parse(text);
        if (!where || (where->scheme != "redis" && where->scheme != "rediss") || !where->query.empty()) return std::nullopt;
        if (where->path == "/") where->path.clear();
        if (where->path.size() > 9 || where->path.find_first_not_of("0123456789", 1) != std::string::npos) return std::nullopt;
        if (where->port.empty()) where->port = "6379";
        return where;
    }

    boost::asio::awaitable<outcome_type> open(std::unique_ptr<healthz::tls_connection>& link) {
        auto const& where = *where_;
        healthz::connected found = co_await healthz::connect(where.host, where.port);
        if (!found.socket) {
            std::string_view const problem = hidden().are_in(where.host) ? detail::withheld : found.problem;
            co_return outcome_type::error(found.message, problem);
        }
        link = std::make_unique<healthz::tls_connection>(std::move(*found.socket));
        if (where.scheme == "rediss") {
            healthz::detail::tls_context made = co_await healthz::detail::make_tls_context(settings_.tls);
            if (!made.context) co_return outcome_type::failed(made.problem);
            std::string const problem = co_await link->start_tls(made.context, where.host);
            if (!problem.empty()) co_return outcome_type::error("TLS error", problem);
        }
        auto const name = where.user.value_or(""), secret = where.password.value_or("");
        if (!name.empty() || where.password) {
            auto const command = name.empty() ? encode("AUTH", secret) : encode("AUTH", name, secret);
            reply const answer = co_await ask(*link, command);
            if (!answer.is('+')) co_return describe(answer, "authentication failed");
        }
        if (where.path.size() > 1) {
            auto const command = encode("SELECT", std::string_view(where.path).substr(1));
            reply const answer = co_await ask(*link, command);
            if (!answer.is('+')) co_return describe(answer, "database not selected");
        }
        co_return outcome_type::ok();
    }

    template <class... Words>
    static std::string encode(Words const&... words) {
        std::string command = "*" + std::to_string(sizeof...(words)) + "\r\n";
        for (std::string_view word : {std::string_view(words)...}) {
            command += "$" + std::to_string(word.size()) + "\r\n";
            command.append(word) += "\r\n";
        }
        return command;
    }

    static boost::asio::awaitable<reply> ask(healthz::tls_connection& link, std::string const& command) {
        reply result;
        boost::system::error_code ec;
        co_await link.write(boost::asio::buffer(command), ec);
        ec.clear();       // a server that hangs up may have said why
        char line[1024];  // an outcome keeps less
        std::size_t size = 0, end = std::string_view::npos;
        while (!ec && end == std::string_view::npos && size < sizeof line) {
            auto const count = co_await link.read_some(boost::asio::buffer(line + size, sizeof line - size), ec);
            size += count;
            end = std::string_view(line, size).find("\r\n");
        }
        result.received = size > 0;
        result.complete = !ec && end + 2 == size;  // anything after the line is no answer to the request
        bool const is_end = ec == boost::asio::error::eof || ec == boost::asio::ssl::error::stream_truncated;
        if (result.received) result.text.assign(line, std::min(size, end));
        else result.text = is_end ? "the server ended the connection" : ec.message();
        co_return result;
    }

    outcome_type describe(reply const& answer, std::string_view otherwise) const {
        if (!answer.received) return outcome_type::error("connection error", answer.text);  // the system's words, or ours
        if (answer.text[0] != '-') return outcome_type::error("protocol error", hidden().shown(answer.text));
        // What a code means, and the rest of the sentence where the server says something that is not known.
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
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration "
            "is correct?",
            "ERR unknown command '*', with args beginning with: *",
        };
        std::string_view const text = std::string_view(answer.text).substr(1);
        auto const sentence = hidden().known(text, sentences);
        for (auto const& [code, message, meaning] : known)
            if (text.starts_with(code)) return outcome_type::error(message, sentence.value_or(std::string(code).append(meaning)));
        return outcome_type::error(otherwise, sentence ? *sentence : hidden().shown(text));
    }

    // A server that does not know AUTH quotes a part of what it was sent.
    secrets hidden() const { return {where_->password.value_or("")}; }

    redis const& settings_;
    std::string url_;
    std::optional<healthz::url> where_;  // what `url_` says
    std::unique_ptr<healthz::tls_connection> link_;
};

}  // namespace healthz
