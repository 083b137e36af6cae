// SPDX-License-Identifier: BSL-1.0
// postgres: a PostgreSQL server answers an authenticated query, or just a handshake.
// Needs libpq, Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/connect.hpp"
#include "../hosted/conninfo.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>

#include <sys/un.h>

namespace healthz {

/// OK when the server at `url` (a libpq connection string: URI or key=value) runs `test` without an error. A coroutine
/// prober on libpq's asynchronous API: nothing blocks the loop, names are looked up on a worker; only of a service (`service=...`)
/// with several hosts libpq looks up those after the first itself, on the loop. One connection a source, kept from check to check;
/// one that is found dead is silently opened anew once.
/// ERROR carries the server's or libpq's text, without any password; FAILED: `url` is not set or is no connection string.
struct postgres {
    setting url;
    char const* test = "SELECT 1";
    /// What is checked. `reach` is for who has no credentials, or must not use them up: a fresh connection, on which the server
    /// has to answer the first bytes of the protocol, a request for GSSAPI encryption, and is left without a word. It shows that
    /// the server accepts clients and talks to them; not that it has started, knows the user, or can answer a query. Needs
    /// PostgreSQL 12 or later, and writes nothing to its log, unless that logs every connection.
    enum : std::uint8_t {
        query,  ///< an authenticated query
        reach,  ///< a handshake without credentials
    } level = query;
    /// Opens a connection for each check and closes it after.
    bool fresh = false;
    /// Has the server end a query that outlasts the timeout, by the startup option `statement_timeout`. A pooler that refuses
    /// such options, as PgBouncer does, gets it as a `SET LOCAL` in front of each test; then a test that cannot run in a
    /// transaction needs this to be false.
    bool statement_timeout = true;

    using outcome_type = basic_outcome<1024>;
    class session;
};

/// The connection of one source. It belongs to the context of its first probe, which must outlive it.
class postgres::session {
public:
    explicit session(postgres const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe(attempt a) {
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        if (!found) co_return outcome_type::failed(problem);
        bool const has_test = settings_.test != nullptr && *settings_.test != '\0';
        if (settings_.level == query && !has_test) co_return outcome_type::failed("the setting 'test' is not set");

        // A connection that was opened late in an attempt would have the server end queries too early.
        if (settings_.fresh || *found != url_ || (link_ && link_->timeout < a.timeout)) link_.reset();
        url_ = *found;
        for (bool kept = link_ != nullptr;; kept = false) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            if (!link) {
                link = std::make_unique<connection>(a.timeout);
                outcome_type connected = co_await connect(*link);
                if (connected.status() != status::ok || settings_.level == reach) co_return connected;
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

    // libpq owns the socket and may replace it while it connects; Asio only watches, and never closes it.
    struct connection {
        std::chrono::milliseconds timeout;  // of a query, as the server knows it
        std::vector<std::pair<std::string, std::string>> names;  // the addresses that libpq tries, and what they are called
        bool limit_with_query = false;  // the server would not hear of it before
        PGconn* handle = nullptr;
        std::optional<boost::asio::posix::stream_descriptor> socket;

        explicit connection(std::chrono::milliseconds query_timeout) : timeout(query_timeout) {}
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;
        ~connection() { close(); }

        void close() {
            unwatch();
            PQfinish(std::exchange(handle, nullptr));
        }

        void watch(boost::asio::any_io_executor const& executor) { socket.emplace(executor, PQsocket(handle)); }
        void unwatch() {
            if (socket) socket->release();
            socket.reset();
        }
    };

    std::string without_secrets(std::string text, connection const& link) const {
        redact(text, url_);
        redact(text, password_);
        if (link.handle != nullptr && PQpass(link.handle) != nullptr) redact(text, PQpass(link.handle));
        return text;
    }

    // libpq does not know the name of an address that we looked up: its "203.0.113.7" becomes "db.example" (203.0.113.7).
    outcome_type connection_error(std::string text, connection const& link) const {
        for (auto const& [address, name] : link.names) {
            auto const at = text.find("at \"" + address + "\"");
            if (at != text.npos) text.replace(at + 3, address.size() + 2, "\"" + name + "\" (" + address + ")");
        }
        return outcome_type::error("connection error", without_secrets(std::move(text), link));
    }

    // Never libpq's own words: what it quotes from a string that it misread may be half of a password.
    outcome_type not_valid() const {
        return outcome_type::failed(settings_.url.name("url") + " is not a valid PostgreSQL connection string");
    }

    // Looks up the names in `host`, so that libpq need not: each address becomes a `hostaddr` beside its host.
    boost::asio::awaitable<std::string> resolve_hosts(conninfo& given, connection& link) {
        if (given.get("host").empty()) co_return std::string();
        auto const hosts = given.list("host"), known = given.list("hostaddr");
        auto const ports = given.list("port");  // one for all hosts, or one for each
        std::vector<std::string> new_hosts, new_addresses, new_ports;
        std::string problems;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            std::vector<std::string> addresses{known.size() > 1 ? known[i] : known[0]};
            bool const is_path = hosts[i].empty() || hosts[i][0] == '/' || hosts[i][0] == '@';
            if (!is_path && addresses[0].empty()) {
                asio::resolved const found = co_await asio::resolve(hosts[i], "0");
                addresses.clear();
                for (auto const& endpoint : found.endpoints) addresses.push_back(endpoint.address().to_string());
                if (addresses.empty())
                    problems += "could not translate host name \"" + hosts[i] + "\" to address: " + found.problem + "\n";
            }
            for (auto const& address : addresses) {
                new_hosts.push_back(hosts[i]);
                new_addresses.push_back(address);
                new_ports.push_back(ports.size() > 1 ? ports[i] : ports[0]);
                if (!is_path && address != hosts[i]) link.names.emplace_back(address, hosts[i]);
            }
        }
        if (new_hosts.empty()) co_return problems;
        given.set_list("host", new_hosts);
        given.set_list("hostaddr", new_addresses);
        if (ports.size() > 1) given.set_list("port", new_ports);
        co_return std::string();
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
        co_await socket.async_connect(where, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
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

    boost::asio::awaitable<outcome_type> reach_one_of(conninfo const& given, connection const& link) const {
        auto hosts = given.list("host");
        auto const addresses = given.list("hostaddr"), ports = given.list("port");  // of the first two, one may be missing
        hosts.resize(std::max(hosts.size(), addresses.size()));
        std::string problems;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            if (i < addresses.size() && !addresses[i].empty()) hosts[i] = addresses[i];
            auto const& given_port = ports[ports.size() > 1 ? i : 0];
            auto const port = given_port.empty() ? std::string("5432") : given_port;
            if (hosts[i].empty()) co_return outcome_type::failed(settings_.url.name("url") + " names no host, which the level 'reach' needs");
            std::string const problem = co_await shake_hands(hosts[i], port);
            if (problem.empty()) co_return outcome_type::ok();
            problems += "connection to server at \"" + hosts[i] + "\", port " + port + " failed: " + problem + "\n";
        }
        co_return connection_error(problems, link);
    }

    boost::asio::awaitable<outcome_type> connect(connection& link) {
        auto given = conninfo::parse(url_);
        if (!given) co_return not_valid();
        password_ = given->get("password");
        std::string const unresolved = co_await resolve_hosts(*given, link);
        if (!unresolved.empty()) co_return connection_error(unresolved, link);
        if (settings_.level == reach) {
            outcome_type reached = co_await reach_one_of(*given, link);
            co_return reached;
        }

        given->set("fallback_application_name", "healthz");
        if (given->get("client_encoding").empty()) given->set("client_encoding", "UTF8");
        bool const names_service = !given->get("service").empty();
        link.limit_with_query = settings_.statement_timeout && names_service;  // a startup option would replace the service's own
        if (!settings_.statement_timeout || names_service) {
            outcome_type opened = co_await open(link, *given);
            co_return opened;
        }
        conninfo limited = *given;
        limited.set("options", given->get("options") + " -c statement_timeout=" + std::to_string(link.timeout.count()));
        outcome_type opened = co_await open(link, limited);
        if (opened.status() != status::error || opened.json().find("unsupported startup parameter") == std::string_view::npos) co_return opened;
        link.close();
        link.limit_with_query = true;
        outcome_type opened_again = co_await open(link, *given);
        co_return opened_again;
    }

    boost::asio::awaitable<outcome_type> open(connection& link, conninfo given) {
        bool const names_service = !given.get("service").empty();
        auto start = [all = std::move(given)] { return all.start(); };
        if (names_service) {  // only libpq knows which names are in its file of services, and it looks them up while we wait
            std::unique_ptr<PGconn, conninfo::finisher> started = co_await asio::on_worker(std::move(start));
            link.handle = started.release();
        } else {
            link.handle = start().release();
        }
        if (link.handle == nullptr) co_return outcome_type::error("connection error", "out of memory");
        PQsetNoticeProcessor(link.handle, [](void*, char const*) {}, nullptr);
        if (PQstatus(link.handle) == CONNECTION_BAD) {
            std::string const text = PQerrorMessage(link.handle);
            // "connection to server ... failed", "could not translate host name ..." and the like are no fault of the string.
            bool const is_error = text.find("connection to server") != text.npos || text.starts_with("out of memory") ||
                                  (text.starts_with("could not ") && !text.starts_with("could not match "));
            if (!is_error) co_return not_valid();
            co_return connection_error(text, link);
        }

        auto const executor = co_await boost::asio::this_coro::executor;
        for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(link.handle)) {
            if (next == PGRES_POLLING_FAILED) co_return connection_error(PQerrorMessage(link.handle), link);
            auto const event = next == PGRES_POLLING_READING ? boost::asio::posix::descriptor_base::wait_read
                                                             : boost::asio::posix::descriptor_base::wait_write;
            link.watch(executor);
            co_await link.socket->async_wait(event, boost::asio::use_awaitable);
            link.unwatch();
        }
        PQsetnonblocking(link.handle, 1);
        link.watch(executor);
        // A database without an encoding would refuse to send an error text that is not UTF-8.
        constexpr std::string_view none = "SQL_ASCII";
        char const* encoding = PQparameterStatus(link.handle, "server_encoding");
        if (encoding == nullptr || encoding != none) co_return outcome_type::ok();
        outcome_type result = co_await run(link, "SET client_encoding TO SQL_ASCII");
        co_return result;
    }

    boost::asio::awaitable<outcome_type> run(connection& link, char const* sql) {
        query_start_ = clock::now();
        if (PQsendQuery(link.handle, sql) == 0) co_return query_error(PQerrorMessage(link.handle), link);
        PQsetSingleRowMode(link.handle);  // a large result passes through, row by row
        while (true) {
            int const unsent = PQflush(link.handle);
            if (unsent < 0) co_return query_error(PQerrorMessage(link.handle), link);
            if (unsent == 0) break;
            co_await link.socket->async_wait(boost::asio::posix::descriptor_base::wait_write, boost::asio::use_awaitable);
        }
        outcome_type result = outcome_type::ok();
        while (true) {
            while (PQisBusy(link.handle) != 0) {
                co_await link.socket->async_wait(boost::asio::posix::descriptor_base::wait_read, boost::asio::use_awaitable);
                if (PQconsumeInput(link.handle) == 0) co_return query_error(PQerrorMessage(link.handle), link);
            }
            std::unique_ptr<PGresult, decltype(&PQclear)> const part(PQgetResult(link.handle), &PQclear);
            if (!part) co_return result;
            switch (PQresultStatus(part.get())) {
                case PGRES_COPY_IN:
                case PGRES_COPY_OUT:
                case PGRES_COPY_BOTH:
                    co_return outcome_type::failed("the setting 'test' is a COPY, which is no test");
                case PGRES_FATAL_ERROR:
                case PGRES_BAD_RESPONSE: result = describe(part.get(), link); break;
                default: break;
            }
        }
    }

    outcome_type query_error(char const* text, connection const& link) const {
        if (PQstatus(link.handle) != CONNECTION_OK) return connection_error(text, link);
        return outcome_type::error("query error", without_secrets(text, link));
    }

    outcome_type describe(PGresult const* part, connection const& link) const {
        constexpr std::string_view query_canceled = "57014";
        char const* state = PQresultErrorField(part, PG_DIAG_SQLSTATE);
        bool const in_time = clock::now() - query_start_ < link.timeout;  // then somebody else has cancelled it
        if (state != nullptr && state == query_canceled && settings_.statement_timeout && !in_time) return outcome_type::timeout();
        return query_error(PQresultErrorMessage(part), link);
    }

    postgres const& settings_;
    clock::time_point query_start_;
    std::string url_;
    std::string password_;
    std::unique_ptr<connection> link_;
};

}  // namespace healthz
