// SPDX-License-Identifier: BSL-1.0
// postgres: a PostgreSQL server answers an authenticated query, or just a handshake.
// Needs libpq, Boost.Asio and threads (for connecting).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/login.hpp"
#include "../hosted/openssl_user.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/wait.hpp"
#include "../net/connect.hpp"
#include "../net/open_socket.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/text.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/descriptor_base.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz {

/// OK when the server at `url` (a libpq connection string: URI or key=value) runs `test` without an error. A coroutine
/// prober: queries run on libpq's asynchronous API, while a connection is opened by a worker, since libpq looks up names
/// and reads files (of passwords, services, certificates) in calls that block. One connection a source, kept from check to
/// check; one that is found dead is silently opened anew once.
/// ERROR carries the server's or libpq's text, without any password; FAILED: `url` is not set or is no connection string.
struct postgres {
    static constexpr char const* kind = "postgres";  ///< as a label of metrics
    setting url;
    /// Instead of those in `url`.
    setting user = setting();
    setting password = setting();
    char const* test = "SELECT 1";
    /// What is checked. `reach` is for programs that have no credentials, or must not use up a user's connections: on a fresh
    /// connection the server must answer the first bytes of the protocol, a request for GSSAPI encryption; then it is closed.
    /// It shows that the server accepts clients; not that it has started, knows the user, or can answer a query. Needs
    /// PostgreSQL 12 or later, which does not log it, unless it logs every connection.
    enum : std::uint8_t {
        query,  ///< an authenticated query
        reach,  ///< a handshake without credentials
    } level = query;
    /// Opens a connection for each check and closes it after.
    bool fresh = false;
    /// Makes the server end a query that exceeds the timeout, by the startup option `statement_timeout`. A pooler that refuses
    /// such options, as PgBouncer does, gets it as a `SET LOCAL` before each test; then a test that cannot run in a
    /// transaction needs this to be false.
    bool statement_timeout = true;

    constexpr char const* complaint() const {
        return url.required("healthz: postgres needs a connection string: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<1024>;
    class session;
};

/// The connection of one source. It belongs to the context of its first probe, which must outlive it.
class postgres::session {
public:
    explicit session(postgres const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe(attempt a) {
        auto const end = clock::now() + a.timeout;
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (!problem.empty()) co_return outcome_type::failed(problem);
        bool const has_test = settings_.test != nullptr && *settings_.test != '\0';
        if (settings_.level == query && !has_test) co_return outcome_type::failed("the setting 'test' is not set");

        // A connection that was opened late in an attempt would have the server end queries too early.
        if (settings_.fresh || *found != url_ || login != login_ || (link_ && link_->timeout < a.timeout)) link_.reset();
        url_ = *found;
        login_ = login;
        if (settings_.level == reach) {
            outcome_type reached = co_await reach_one();
            co_return reached;
        }
        for (bool kept = link_ != nullptr;; kept = false) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            if (!link) {
                auto open = [url = url_, login, limits = settings_.statement_timeout, timeout = a.timeout, end] {
                    return connect(url, login, limits, timeout, end);
                };
                opened made = co_await healthz::on_worker(std::move(open));
                if (!made.is_valid) co_return not_valid();
                if (!made.link) co_return made.problem;
                link = std::move(made.link);
                outcome_type prepared = co_await prepare(*link);
                if (prepared.status() != status::ok) co_return prepared;
            }
            std::string limited;
            if (link->limit_with_query)
                limited = "SET LOCAL statement_timeout = " + std::to_string(link->timeout.count()) + "; " + settings_.test;
            outcome_type result = co_await run(*link, limited.empty() ? settings_.test : limited.c_str());
            bool const dead = PQstatus(link->handle) != CONNECTION_OK;
            if (dead && kept) continue;
            bool const idle = PQtransactionStatus(link->handle) == PQTRANS_IDLE;  // no COPY, no transaction left open
            if (idle && !settings_.fresh) link_ = std::move(link);
            co_return result;
        }
    }

private:
    using clock = std::chrono::steady_clock;

    // libpq owns the socket; Asio only watches, and never closes it.
    struct connection {
        std::chrono::milliseconds timeout;  // of a query, as the server knows it
        bool limit_with_query = false;      // the server refused it as a startup option
        detail::postgres_text texts;
        PGconn* handle = nullptr;
        std::optional<boost::asio::posix::stream_descriptor> socket;

        explicit connection(std::chrono::milliseconds query_timeout) : timeout(query_timeout) {}
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;
        ~connection() {
            if (socket) socket->release();
            socket.reset();
            PQfinish(handle);
        }

        /// Waits on a worker for what libpq waits for; false if that does not come in time.
        bool wait_until(clock::time_point end, PostgresPollingStatusType what) const {
            return healthz::detail::wait_until_ready(PQsocket(handle), what == PGRES_POLLING_READING ? POLLIN : POLLOUT, end);
        }

        /// All that libpq takes for a secret: of the string, of the environment, of a service, of the file of passwords.
        void learn_secrets() {
            std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const known(PQconninfo(handle), &PQconninfoFree);
            for (auto const* each = known.get(); each != nullptr && each->keyword != nullptr; ++each)
                if (each->val != nullptr && each->dispchar[0] == '*') texts.hidden.add(each->val);
            learn_password();
        }
        void learn_password() {  // each host may have its own
            if (auto const* const secret = PQpass(handle)) texts.hidden.add(secret);
        }
    };

    using owned_connection = std::unique_ptr<connection, detail::openssl_user::deleter>;

    struct opened {
        owned_connection link;
        outcome_type problem = outcome_type::ok();
        bool is_valid = true;  // the connection string
    };

    // Never libpq's own words: what it quotes from a string that it misread may be half of a password.
    outcome_type not_valid() const {
        return outcome_type::failed(settings_.url.name("url") + " is not a valid PostgreSQL connection string");
    }

    // Asks for GSSAPI encryption, which a server grants or denies with one byte. To ask for TLS would do, but a server that
    // grants it complains in its log of a client that leaves then. Returns what is wrong, or nothing.
    // https://www.postgresql.org/docs/current/protocol-flow.html, "GSSAPI Session Encryption"
    static boost::asio::awaitable<std::string> shake_hands(std::string host, std::string port) {
        using protocol = boost::asio::generic::stream_protocol;
        constexpr std::string_view request{"\0\0\0\x08\x04\xD2\x16\x30", 8};
        auto const executor = co_await boost::asio::this_coro::executor;
        protocol::endpoint where;
        boost::system::error_code ec;
        if (host[0] == '/' || host[0] == '@') {
            auto path = host + "/.s.PGSQL." + port;
            if (path.size() >= sizeof(sockaddr_un::sun_path)) co_return "the path of the socket is too long";
            if (path[0] == '@') path[0] = '\0';  // an abstract one
            where = boost::asio::local::stream_protocol::endpoint(path);
        } else {
            auto const address = boost::asio::ip::make_address(host, ec);
            if (ec || port.size() > 5 || std::stoi(port) > 65535) co_return "no address or no port";
            where = boost::asio::ip::tcp::endpoint(address, static_cast<unsigned short>(std::stoi(port)));
        }
        protocol::socket socket(executor);
        char answer[200];
        std::size_t size = 0;
        healthz::detail::open_socket(socket, where.protocol(), ec);
        if (!ec) co_await socket.async_connect(where, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        if (!ec) {
            auto const bytes = boost::asio::buffer(request.data(), request.size());
            co_await boost::asio::async_write(socket, bytes, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        }
        if (!ec) {
            auto const room = boost::asio::buffer(answer);
            size = co_await socket.async_read_some(room, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        }
        if (ec == boost::asio::error::eof) co_return "server closed the connection unexpectedly";
        if (ec) co_return ec.message();
        if (size == 1 && (answer[0] == 'G' || answer[0] == 'N')) co_return std::string();
        co_return "no PostgreSQL server: " + std::string(answer, size);
    }

    boost::asio::awaitable<outcome_type> reach_one() const {
        auto parse = [url = url_, login = login_] { return detail::conninfo::parse(url, login); };
        std::optional<detail::conninfo> const given = co_await healthz::on_worker(std::move(parse));
        if (!given) co_return not_valid();
        auto hosts = given->list("host");
        auto const addresses = given->list("hostaddr"), ports = given->list("port");  // of the first two, one may be missing
        hosts.resize(std::max(hosts.size(), addresses.size()));
        std::string problems;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            auto const& given_port = ports[ports.size() > 1 ? i : 0];
            auto const port = given_port.empty() ? std::string("5432") : given_port;
            std::vector<std::string> places;
            if (i < addresses.size() && !addresses[i].empty()) {
                places = {addresses[i]};
            } else if (hosts[i].empty()) {
                auto const complaint = settings_.url.name("url") + " names no host, which the level 'reach' needs";
                co_return outcome_type::failed(complaint);
            } else if (hosts[i][0] == '/' || hosts[i][0] == '@') {
                places = {hosts[i]};
            } else {
                healthz::resolved const found = co_await healthz::resolve(hosts[i], "0");
                for (auto const& endpoint : found.endpoints) places.push_back(endpoint.address().to_string());
                if (places.empty()) problems += "could not translate host name \"" + hosts[i] + "\" to address: " + found.problem + "\n";
            }
            for (auto const& place : places) {
                std::string const problem = co_await shake_hands(place, port);
                if (problem.empty()) co_return outcome_type::ok();
                bool const has_name = !hosts[i].empty() && hosts[i] != place;
                std::string const at = has_name ? "\"" + hosts[i] + "\" (" + place + ")" : "\"" + place + "\"";
                problems += "connection to server at " + at + ", port " + port + " failed: " + problem + "\n";
            }
        }
        detail::postgres_text texts;
        for (auto const* each : {"password", "sslpassword"}) texts.hidden.add(given->get(each));
        co_return outcome_type::error("connection error", texts.of_connection(problems));
    }

    // On a worker, no longer than until `end` unless libpq is held up by a file or a name.
    static opened connect(std::string const& url, detail::login const& login, bool limits, std::chrono::milliseconds timeout,
                          clock::time_point end) {
        opened result;
        auto given = detail::conninfo::parse(url, login);
        result.is_valid = given.has_value();
        if (!given) return result;
        owned_connection link(new connection(timeout));
        given->set("fallback_application_name", "healthz");
        if (given->get("client_encoding").empty()) given->set("client_encoding", "UTF8");
        bool const names_service = !given->get("service").empty();
        link->limit_with_query = limits && names_service;  // a startup option would replace the service's own
        if (!limits || names_service) {
            open(result, *link, *given, end);
        } else {
            auto limited = *given;
            limited.set("options", given->get("options") + " -c statement_timeout=" + std::to_string(timeout.count()));
            auto const text = open(result, *link, limited, end);
            if (text.find("unsupported startup parameter") != text.npos) {
                link.reset(new connection(timeout));
                link->limit_with_query = true;
                result.problem = outcome_type::ok();
                open(result, *link, *given, end);
            }
        }
        if (result.is_valid && result.problem.status() == status::ok) result.link = std::move(link);
        return result;
    }

    // Says in `result` what is wrong, and returns what libpq said of it.
    static std::string open(opened& result, connection& link, detail::conninfo const& given, clock::time_point end) {
        link.handle = given.start().release();
        if (link.handle == nullptr) {
            result.problem = outcome_type::error("connection error", "out of memory");
            return {};
        }
        PQsetNoticeProcessor(
            link.handle, [](void*, char const*) {}, nullptr);
        PQsetErrorVerbosity(link.handle, PQERRORS_VERBOSE);
        link.learn_secrets();
        bool const has_begun = PQstatus(link.handle) != CONNECTION_BAD;
        auto next = has_begun ? PGRES_POLLING_WRITING : PGRES_POLLING_FAILED;
        while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
            if (!link.wait_until(end, next)) {
                result.problem = outcome_type::timeout();
                return {};
            }
            healthz::detail::openssl_user const inside;
            if (!inside) {
                result.problem = outcome_type::failed(inside.refusal);
                return {};
            }
            next = PQconnectPoll(link.handle);
            link.learn_password();
        }
        PQsetErrorVerbosity(link.handle, PQERRORS_DEFAULT);
        if (next == PGRES_POLLING_OK) {
            PQsetnonblocking(link.handle, 1);  // so that nothing waits for the server, not even its end
            return {};
        }
        std::string text = PQerrorMessage(link.handle);
        // "connection to server ... failed", "could not translate host name ..." and the like are no fault of the string.
        bool const is_error = text.find("connection to server") != text.npos || text.starts_with("out of memory") ||
                              (text.starts_with("could not ") && !text.starts_with("could not match "));
        result.is_valid = has_begun || is_error;
        result.problem = outcome_type::error("connection error", link.texts.of_connection(text));
        return text;
    }

    // What is left to do with a connection, on the loop.
    boost::asio::awaitable<outcome_type> prepare(connection& link) {
        auto const executor = co_await boost::asio::this_coro::executor;
        link.socket.emplace(executor, PQsocket(link.handle));
        // A database without an encoding would refuse to send an error text that is not UTF-8.
        constexpr std::string_view none = "SQL_ASCII";
        char const* encoding = PQparameterStatus(link.handle, "server_encoding");
        if (encoding == nullptr || encoding != none) co_return outcome_type::ok();
        outcome_type result = co_await run(link, "SET client_encoding TO SQL_ASCII");
        co_return result;
    }

    boost::asio::awaitable<outcome_type> run(connection& link, char const* sql) {
        query_start_ = clock::now();
        if (PQsendQuery(link.handle, sql) == 0) co_return query_error("", PQerrorMessage(link.handle), link);
        PQsetSingleRowMode(link.handle);  // a large result passes through, row by row
        while (true) {
            int const unsent = PQflush(link.handle);
            if (unsent < 0) co_return query_error("", PQerrorMessage(link.handle), link);
            if (unsent == 0) break;
            co_await link.socket->async_wait(boost::asio::posix::descriptor_base::wait_write, boost::asio::use_awaitable);
        }
        outcome_type result = outcome_type::ok();
        while (true) {
            while (PQisBusy(link.handle) != 0) {
                co_await link.socket->async_wait(boost::asio::posix::descriptor_base::wait_read, boost::asio::use_awaitable);
                if (PQconsumeInput(link.handle) == 0) co_return query_error("", PQerrorMessage(link.handle), link);
            }
            std::unique_ptr<PGresult, decltype(&PQclear)> const part(PQgetResult(link.handle), &PQclear);
            if (!part) co_return result;
            switch (PQresultStatus(part.get())) {
                case PGRES_COPY_IN:
                case PGRES_COPY_OUT:
                case PGRES_COPY_BOTH: co_return outcome_type::failed("the setting 'test' is a COPY, which is no test");
                case PGRES_FATAL_ERROR:
                case PGRES_BAD_RESPONSE: result = describe(part.get(), link); break;
                default: break;
            }
        }
    }

    static outcome_type query_error(std::string_view state, char const* text, connection const& link) {
        bool const is_open = PQstatus(link.handle) == CONNECTION_OK;
        return outcome_type::error(is_open ? "query error" : "connection error", link.texts.of_query(state, text));
    }

    outcome_type describe(PGresult const* part, connection const& link) const {
        constexpr std::string_view query_canceled = "57014";
        char const* const field = PQresultErrorField(part, PG_DIAG_SQLSTATE);
        std::string_view const state = field != nullptr ? field : "";
        bool const in_time = clock::now() - query_start_ < link.timeout;  // then another client has cancelled it
        if (state == query_canceled && settings_.statement_timeout && !in_time) return outcome_type::timeout();
        return query_error(state, PQresultErrorMessage(part), link);
    }

    postgres const& settings_;
    clock::time_point query_start_;
    std::string url_;
    detail::login login_;
    owned_connection link_;
};

}  // namespace healthz
