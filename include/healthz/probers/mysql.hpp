// SPDX-License-Identifier: BSL-1.0
// mysql: a MySQL or MariaDB server answers an authenticated query.
// Needs libmariadb, Boost.Asio and threads (for connecting).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/login.hpp"
#include "../hosted/openssl_user.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/url.hpp"
#include "../hosted/wait.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../tls/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/descriptor_base.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <errmsg.h>
#include <fcntl.h>
#include <mysql.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz {

/// OK when the server at `url` runs `test` without an error. A coroutine prober: queries run on libmariadb's non-blocking
/// API, while a connection is opened by a worker, since libmariadb looks up names and begins TLS in calls that block. One
/// connection a source, kept from check to check; one that is found dead is silently opened anew once.
/// `url` is `mysql://user:password@host:port/database` or `mariadb://`, where all but the host may be left out and user,
/// password and database are percent-encoded. It may end in `?ssl-mode=`, with MySQL's words: DISABLED (the default),
/// REQUIRED (whatever the certificate), VERIFY_CA (needs `tls.ca_file`) or VERIFY_IDENTITY; and in `?socket=` with the path
/// of a Unix domain socket. libmariadb makes the whole process ignore SIGPIPE.
/// ERROR carries the server's or libmariadb's text, without any password; FAILED: `url` is not set or of another form, or a
/// file for TLS cannot be read.
struct mysql {
    static constexpr char const* kind = "mysql";  ///< as a label of metrics
    setting url;
    /// Instead of those in `url`.
    setting user = setting();
    setting password = setting();
    /// Any SQL; of several statements none may fail.
    char const* test = "SELECT 1";
    /// Opens a connection for each check and closes it after.
    bool fresh = false;
    /// Makes the server end a query that exceeds the timeout: on MariaDB any, on MySQL a SELECT.
    bool statement_timeout = true;
    /// Where `verify` is false, VERIFY_CA and VERIFY_IDENTITY count as REQUIRED.
    tls_options tls = tls_options();

    constexpr char const* complaint() const {
        return url.required("healthz: mysql needs the URL of a server: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<1024>;
    class session;
};

/// The connection of one source. It belongs to the context of its first probe, which must outlive it.
class mysql::session {
public:
    explicit session(mysql const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe(attempt a) {
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (!problem.empty()) co_return outcome_type::failed(problem);
        if (settings_.test == nullptr || *settings_.test == '\0') co_return outcome_type::failed("the setting 'test' is not set");

        // A connection that was opened late in an attempt would have the server end queries too early.
        auto const address = login.put_into_url(*found);
        if (settings_.fresh || address != url_ || (link_ && (link_->timeout < a.timeout || !link_->is_idle()))) link_.reset();
        if (address != url_) target_ = parse(address);
        url_ = address;
        if (!target_) co_return outcome_type::failed(settings_.url.name("url") + " is not a valid MySQL URL");
        for (bool kept = link_ != nullptr;; kept = false) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            if (!link) {
                auto open = [&settings = settings_, to = *target_, limit = a.timeout] { return connect(settings, to, limit); };
                opened made = co_await healthz::on_worker(std::move(open));
                if (!made.link) co_return made.problem;
                link = std::move(made.link);
                auto const executor = co_await boost::asio::this_coro::executor;
                link->watch(executor);
            }
            outcome_type result = co_await run(*link, *target_);
            if (link->is_dead() && kept) continue;
            if (!link->is_dead() && !settings_.fresh) link_ = std::move(link);
            co_return result;
        }
    }

private:
    struct target {
        healthz::url where;
        std::string database;
        std::string socket;
        std::string ssl_mode = "DISABLED";
    };

    // libmariadb owns the socket; Asio only watches, and never closes it.
    struct connection {
        MYSQL* handle = mysql_init(nullptr);
        MYSQL_RES* rows = nullptr;
        std::chrono::milliseconds timeout;  // of a query, as the server knows it
        std::optional<boost::asio::posix::stream_descriptor> socket;
        bool busy = false;

        explicit connection(std::chrono::milliseconds query_timeout) : timeout(query_timeout) {}
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;
        ~connection() {
            if (socket) socket->release();
            // To free rows reads those that are left, and to close says goodbye: neither may wait for the server.
            // A server that sends rows without end must notice at once that the client is gone: by a reset. Any other is told so by an end:
            // a reset is sent once, and where that is lost the server keeps the connection for hours; an end is sent until it is heard.
            if (busy) {
                constexpr linger reset{.l_onoff = 1, .l_linger = 0};
                if (rows != nullptr) ::setsockopt(mysql_get_socket(handle), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
                ::shutdown(mysql_get_socket(handle), SHUT_RDWR);
            }
            mysql_free_result(rows);
            mysql_close(handle);
        }

        void watch(boost::asio::any_io_executor const& executor) {
            socket.emplace(executor, mysql_get_socket(handle));
            socket->native_non_blocking(true);
        }
        boost::asio::awaitable<int> wait(int events) {
            auto const wanted = (events & MYSQL_WAIT_WRITE) != 0 ? boost::asio::posix::descriptor_base::wait_write
                                                                 : boost::asio::posix::descriptor_base::wait_read;
            co_await socket->async_wait(wanted, boost::asio::use_awaitable);
            co_return events&(MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
        }
        /// The same, on a worker.
        int wait_until(std::chrono::steady_clock::time_point end, int events) const {
            short const wanted = (events & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : POLLIN;
            ::fcntl(mysql_get_socket(handle), F_SETFD, FD_CLOEXEC);  // before long: it may be another one each time
            bool const is_ready = healthz::detail::wait_until_ready(mysql_get_socket(handle), wanted, end);
            return is_ready ? events & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE) : MYSQL_WAIT_TIMEOUT;
        }
        /// Makes a call on a worker: `start()`, then `go_on(ready)` until nothing is pending. False where
        /// the process ends meanwhile.
        template <class Start, class GoOn>
        bool complete(std::chrono::steady_clock::time_point end, Start start, GoOn go_on) const {
            healthz::detail::openssl_user inside;
            if (!inside) return false;
            for (int pending = start(); pending != 0;) {
                inside.leave();  // while it waits
                int const ready = wait_until(end, pending);
                inside = healthz::detail::openssl_user();
                if (!inside) return false;
                pending = go_on(ready);
            }
            return true;
        }
        /// Whether the connection is open and nothing has arrived that was not requested.
        bool is_idle() const {
            char byte;
            auto const count = ::recv(mysql_get_socket(handle), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
            return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
        bool is_dead() const {
            constexpr unsigned shutting_down = 1053, killed = 1927, idle_for_too_long = 4031;
            auto const code = mysql_errno(handle);
            return (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) || code == shutting_down || code == killed || code == idle_for_too_long;
        }
    };

    using owned_connection = std::unique_ptr<connection, healthz::detail::openssl_user::deleter>;

    struct opened {
        owned_connection link;
        outcome_type problem = outcome_type::ok();
    };

    static opened not_any_more() { return {nullptr, outcome_type::failed(healthz::detail::openssl_user::refusal)}; }

    static std::optional<target> parse(std::string_view text) {
        target result;
        auto where = healthz::url::parse(text);
        if (!where || (where->scheme != "mysql" && where->scheme != "mariadb")) return std::nullopt;
        auto const database =
            healthz::detail::percent_decode(std::string_view(where->path).substr(std::min<std::size_t>(where->path.size(), 1)));
        if (!database || where->path.find('/', 1) != std::string::npos) return std::nullopt;
        result.database = *database;
        for (std::string_view rest = where->query; !rest.empty();) {
            rest.remove_prefix(1);  // '?' or '&'
            auto const item = rest.substr(0, rest.find('&'));
            rest.remove_prefix(item.size());
            auto const equals = std::min(item.find('='), item.size());
            auto const value = healthz::detail::percent_decode(item.substr(std::min(equals + 1, item.size())));
            if (!value) return std::nullopt;
            if (item.substr(0, equals) == "ssl-mode") result.ssl_mode = *value;
            else if (item.substr(0, equals) == "socket" && !value->empty()) result.socket = *value;
            else return std::nullopt;
        }
        for (auto const* mode : {"DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"})
            if (result.ssl_mode == mode) {
                result.where = std::move(*where);
                return result;
            }
        return std::nullopt;
    }

    // Returns the sentence for a FAILED, or nothing.
    static std::string set_options(MYSQL* handle, mysql const& settings, target const& to, std::chrono::milliseconds timeout) {
        auto const set = [handle](mysql_option option, auto value) { mysql_options(handle, option, &value); };
        auto const set_text = [handle](mysql_option option, std::string const& value) {
            if (!value.empty()) mysql_options(handle, option, value.c_str());
        };
        set(MYSQL_OPT_NONBLOCK, std::size_t(1) << 18);  // the stack of its calls, which look up names and begin TLS
        set(MYSQL_OPT_CONNECT_TIMEOUT, static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(timeout).count()));
        set(MYSQL_OPT_LOCAL_INFILE, 0U);  // a server might ask for any file
        set(MYSQL_OPT_MAX_ALLOWED_PACKET, std::size_t(16) << 20);
        set(MYSQL_OPT_PROTOCOL, to.socket.empty() ? unsigned(MYSQL_PROTOCOL_TCP) : unsigned(MYSQL_PROTOCOL_SOCKET));
        // Somebody in the middle might ask for the password in clear.
        if (to.ssl_mode != "VERIFY_IDENTITY" && to.socket.empty())
            set_text(MARIADB_OPT_RESTRICTED_AUTH,
                     "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec,auth_gssapi_client");
        set_text(MYSQL_SET_CHARSET_NAME, "utf8mb4");
        mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "healthz");
        if (to.ssl_mode == "DISABLED") return {};

        auto const files = settings.tls.read();
        if (!files.problem.empty()) return files.problem;
        auto const unreadable = [](std::string const& path) {
            int const file = path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
            if (file >= 0) ::close(file);
            return !path.empty() && file < 0;
        };
        constexpr char const* complaint = " names no file that can be read";
        if (unreadable(files.ca)) return settings.tls.ca_file.name("tls.ca_file") + complaint;
        if (unreadable(files.cert)) return settings.tls.cert_file.name("tls.cert_file") + complaint;
        if (unreadable(files.key)) return settings.tls.key_file.name("tls.key_file") + complaint;
        bool const verify = settings.tls.verify && to.ssl_mode != "REQUIRED";
        if (verify && to.ssl_mode == "VERIFY_CA" && files.ca.empty()) return "the setting 'tls.ca_file' is not set";
        set(MYSQL_OPT_SSL_ENFORCE, my_bool(1));
        set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, my_bool(verify && to.ssl_mode == "VERIFY_IDENTITY"));
        if (verify) set_text(MYSQL_OPT_SSL_CA, files.ca);
        set_text(MYSQL_OPT_SSL_CERT, files.cert);
        set_text(MYSQL_OPT_SSL_KEY, files.key);
        return {};
    }

    // Blocks, for no longer than the timeout unless TLS begins slowly: for a worker.
    static opened connect(mysql const& settings, target const& to, std::chrono::milliseconds timeout) {
        static bool const ready = mysql_library_init(0, nullptr, nullptr) == 0;  // mysql_init would do so, not thread safe
        auto const end = std::chrono::steady_clock::now() + timeout;
        opened result;
        owned_connection link(new connection(timeout));
        auto* const handle = link->handle;
        if (!ready || handle == nullptr) {
            result.problem = outcome_type::error("connection error", "out of memory");
            return result;
        }
        auto const problem = set_options(handle, settings, to, timeout);
        if (!problem.empty()) {
            result.problem = outcome_type::failed(problem);
            return result;
        }

        auto const user = to.where.user.value_or(""), password = to.where.password.value_or("");
        auto const port = to.where.port.empty() ? 3306U : static_cast<unsigned>(std::stoi(to.where.port));
        auto const* const database = to.database.empty() ? nullptr : to.database.c_str();
        auto const* const socket = to.socket.empty() ? nullptr : to.socket.c_str();
        // Not the call that blocks: that one says of each failure that it is "in progress". The password is never null, for
        // then libmariadb takes that of the environment.
        MYSQL* made = nullptr;
        auto const start = [&] {
            return mysql_real_connect_start(&made, handle, to.where.host.c_str(), user.c_str(), password.c_str(), database, port, socket,
                                            CLIENT_MULTI_STATEMENTS);
        };
        auto const go_on = [&](int events) { return mysql_real_connect_cont(&made, handle, events); };
        if (!link->complete(end, start, go_on)) return not_any_more();
        if (made != nullptr && to.ssl_mode != "DISABLED" && mysql_get_ssl_cipher(handle) == nullptr) {
            result.problem = outcome_type::error("connection error", "the server has no TLS");
            return result;
        }
        if (made != nullptr && settings.statement_timeout) {
            // Where the server or a proxy does not know of limits there is none.
            // Later than the attempt's end, since a statement that is cut short may look as if it had succeeded.
            auto const limit = std::to_string(timeout.count() + 100);
            auto sql = "SET max_statement_time = " + limit + " / 1000";
            if (mariadb_connection(handle) == 0) sql = "SET max_execution_time = " + limit;
            int ignored = 0;
            auto const send = [&] { return mysql_real_query_start(&ignored, handle, sql.c_str(), sql.size()); };
            auto const go_on_sending = [&](int events) { return mysql_real_query_cont(&ignored, handle, events); };
            if (!link->complete(end, send, go_on_sending)) return not_any_more();
        }
        bool const has_failed = made == nullptr || link->is_dead();
        if (!has_failed) result.link = std::move(link);
        else if (std::chrono::steady_clock::now() >= end) result.problem = outcome_type::timeout();  // whatever libmariadb calls it
        else result.problem = describe(*link, to, "connection error");
        return result;
    }

    // libmariadb's calls come in two parts: one starts, the other goes on whenever the socket is ready, until nothing is pending.
    boost::asio::awaitable<outcome_type> run(connection& link, target const& to) {
        auto* const handle = link.handle;
        std::string_view const sql = settings_.test;
        link.busy = true;
        int ended = 0;  // otherwise by an error, or because there are no more results
        int pending = mysql_real_query_start(&ended, handle, sql.data(), sql.size());
        while (pending != 0) {
            int const ready = co_await link.wait(pending);
            pending = mysql_real_query_cont(&ended, handle, ready);
        }
        while (ended == 0) {
            link.rows = mysql_use_result(handle);
            MYSQL_ROW row = nullptr;
            std::size_t count = 0;
            do {  // row by row: a large result passes through
                pending = link.rows != nullptr ? mysql_fetch_row_start(&row, link.rows) : 0;
                while (pending != 0) {
                    int const ready = co_await link.wait(pending);
                    pending = mysql_fetch_row_cont(&row, link.rows, ready);
                }
                if (++count % 256 == 0) co_await boost::asio::post(boost::asio::use_awaitable);  // others want to run too
            } while (row != nullptr);
            mysql_free_result(std::exchange(link.rows, nullptr));
            if (mysql_errno(handle) != 0) break;
            pending = mysql_next_result_start(&ended, handle);
            while (pending != 0) {
                int const ready = co_await link.wait(pending);
                pending = mysql_next_result_cont(&ended, handle, ready);
            }
        }
        link.busy = false;
        if (mysql_errno(handle) != 0) co_return describe(link, to, link.is_dead() ? "connection error" : "query error");
        co_return outcome_type::ok();
    }

    // What servers and libmariadb are known to say.
    static constexpr std::string_view sentences[] = {
        "Access denied for user '*'@'*' (using password: YES)",
        "Access denied for user '*'@'*' (using password: NO)",
        "Access denied for user '*'@'*' to database '*'",
        "Access denied for user '*'@'*'",
        "Unknown database '*'",
        "Table '*' doesn't exist",
        "Unknown column '*' in '*'",
        "Too many connections",
        ("You have an error in your SQL syntax; check the manual that corresponds to your * server version for the right "
         "syntax to use near *"),
        "Can't connect to server on '*' (*)",
        "Can't connect to local server through socket '*' (*)",
        "Unknown server host '*' (*)",
        "Server has gone away",
        "Lost connection to server during query",
        "Lost connection to server at '*', system error: *",
        "TLS/SSL error: *",
    };
    // What the commonest errors mean, where a server has other words for them.
    static constexpr std::pair<unsigned, std::string_view> meanings[] = {
        {1040, "too many connections"},     {1044, "access denied"}, {1045, "access denied"}, {1049, "unknown database"},
        {1146, "the table does not exist"},
    };

    // As the mysql client would say it, and for a number of the system's also what it means.
    static outcome_type describe(connection const& link, target const& to, std::string_view message) {
        constexpr unsigned statement_timeout_mariadb = 1969, statement_timeout_mysql = 3024;
        auto const code = mysql_errno(link.handle);
        if (code == statement_timeout_mariadb || code == statement_timeout_mysql) return outcome_type::timeout();
        std::string text = mysql_error(link.handle);
        secrets const hidden{to.where.password.value_or("")};
        auto sentence = hidden.known(text, sentences);
        for (auto const& [number, words] : meanings)
            if (code == number && !sentence) sentence = words;
        text = sentence ? *sentence : hidden.shown(text);
        if (code == CR_CONNECTION_ERROR || code == CR_CONN_HOST_ERROR) {
            auto const open = text.rfind('(');
            int number = 0;
            if (open != text.npos && text.ends_with(')')) std::from_chars(text.data() + open + 1, text.data() + text.size(), number);
            if (number != 0) text += ": " + std::generic_category().message(number);
        }
        text = "ERROR " + std::to_string(code) + " (" + mysql_sqlstate(link.handle) + "): " + text;
        return outcome_type::error(message, text);
    }

    mysql const& settings_;
    std::string url_;
    std::optional<target> target_;  // what `url_` says
    owned_connection link_;
};

}  // namespace healthz
