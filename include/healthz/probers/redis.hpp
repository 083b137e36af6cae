// SPDX-License-Identifier: BSL-1.0
// redis: a Redis server (or one that speaks its protocol) answers a command.
// Needs OpenSSL, Boost.Asio and threads (for looking up names).
#pragma once

#include "../hosted/login.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/url.hpp"
#include "../net/connect.hpp"
#include "../outcome.hpp"
#include "../tls/client.hpp"
#include "../tls/connection.hpp"
#include "../tls/options.hpp"
#include "redis/talk.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
            auto const command = has_key ? healthz::detail::redis_command("EXISTS", settings_.key) : healthz::detail::redis_command("PING");
            answer const got = co_await ask(*link, command);
            if (!got.is_usable() && kept) continue;
            if (got.is_usable() && !settings_.fresh) link_ = std::move(link);
            if (!got.is(has_key ? ':' : '+')) co_return describe(got, "command error");
            if (got.line.text() == ":0") co_return outcome_type::error("key does not exist", settings_.key);
            co_return outcome_type::ok();
        }
    }

private:
    // What came over a connection, and what ended that.
    struct answer {
        healthz::detail::redis_answer line;
        boost::system::error_code ec;

        bool is_usable() const { return !ec && line.is_complete(); }
        bool is(char type) const { return is_usable() && line.is(type); }
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
            std::string const problem = co_await link->start_tls(made.context, where.sent_host());
            if (!problem.empty()) co_return outcome_type::error("TLS error", problem);
        }
        auto const name = where.user.value_or(""), secret = where.password.value_or("");
        if (!name.empty() || where.password) {
            auto const command =
                name.empty() ? healthz::detail::redis_command("AUTH", secret) : healthz::detail::redis_command("AUTH", name, secret);
            answer const got = co_await ask(*link, command);
            if (!got.is('+')) co_return describe(got, "authentication failed");
        }
        if (where.path.size() > 1) {
            auto const command = healthz::detail::redis_command("SELECT", std::string_view(where.path).substr(1));
            answer const got = co_await ask(*link, command);
            if (!got.is('+')) co_return describe(got, "database not selected");
        }
        co_return outcome_type::ok();
    }

    static boost::asio::awaitable<answer> ask(healthz::tls_connection& link, std::string const& command) {
        answer got;
        co_await link.write(boost::asio::buffer(command), got.ec);
        got.ec.clear();  // a server that hangs up may have said why
        while (!got.ec && !got.line.room().empty()) {
            auto const room = got.line.room();
            auto const count = co_await link.read_some(boost::asio::buffer(room.data(), room.size()), got.ec);
            got.line.take(count);
        }
        co_return got;
    }

    outcome_type describe(answer const& got, std::string_view otherwise) const {
        if (got.line.has_begun()) return healthz::detail::redis_error<outcome_type>(got.line.text(), hidden(), otherwise);
        bool const is_end = got.ec == boost::asio::error::eof || got.ec == boost::asio::ssl::error::stream_truncated;
        return outcome_type::error("connection error", is_end ? "the server ended the connection" : got.ec.message());
    }

    // A server that does not know AUTH quotes a part of what it was sent.
    secrets hidden() const { return {where_->password.value_or("")}; }

    redis const& settings_;
    std::string url_;
    std::optional<healthz::url> where_;  // what `url_` says
    std::unique_ptr<healthz::tls_connection> link_;
};

}  // namespace healthz
