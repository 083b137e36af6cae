// SPDX-License-Identifier: BSL-1.0
// postgres: a PostgreSQL server answers an authenticated query.
// Needs libpq, Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <libpq-fe.h>

#include <algorithm>

namespace healthz {

/// OK when the server at `url` (a libpq connection string: URI or key=value) runs `test` without an error. A coroutine
/// prober on libpq's asynchronous API: nothing blocks the loop, names are looked up on a worker. One connection a source,
/// kept from check to check; one that is found dead is silently opened anew once.
/// ERROR carries the server's or libpq's text, without any password; FAILED: `url` is not set or is no connection string.
struct postgres {
    setting url;
    char const* test = "SELECT 1";
    /// Opens a connection for each check and closes it after.
    bool fresh = false;
    /// Has the server end a query that outlasts the timeout, by the startup option `statement_timeout`. Turn it off for
    /// PgBouncer before 1.20, which refuses startup options.
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
        if (settings_.test == nullptr || *settings_.test == '\0') co_return outcome_type::failed("the setting 'test' is not set");

        // A connection that was opened late in an attempt would have the server end queries too early.
        if (settings_.fresh || *found != url_ || (link_ && link_->timeout < a.timeout)) link_.reset();
        url_ = *found;
        for (bool kept = link_ != nullptr;; kept = false) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            if (!link) {
                link = std::make_unique<connection>(a.timeout);
                outcome_type connected = co_await connect(*link);
                if (connected.status() != status::ok) co_return connected;
            }
            outcome_type result = co_await run(*link, settings_.test);
            bool const dead = PQstatus(link->handle) != CONNECTION_OK;
            if (dead && kept) continue;
            bool const idle = PQtransactionStatus(link->handle) == PQTRANS_IDLE;  // no COPY, no transaction left open
            if (idle && !settings_.fresh) link_ = std::move(link);
            co_return result;
        }
    }

private:
    // libpq owns the socket and may replace it while it connects; Asio only watches, and never closes it.
    struct connection {
        std::chrono::milliseconds timeout;  // of a query, as the server knows it
        std::vector<std::pair<std::string, std::string>> names;  // the addresses that libpq tries, and what they are called
        PGconn* handle = nullptr;
        std::optional<boost::asio::posix::stream_descriptor> socket;

        explicit connection(std::chrono::milliseconds query_timeout) : timeout(query_timeout) {}
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;
        ~connection() {
            unwatch();
            PQfinish(handle);
        }

        void watch(boost::asio::any_io_executor const& executor) { socket.emplace(executor, PQsocket(handle)); }
        void unwatch() {
            if (socket) socket->release();
            socket.reset();
        }
    };

    struct options {
        std::vector<std::string> keys;
        std::vector<std::string> values;

        std::string* find(std::string_view key) {
            for (std::size_t i = 0; i < keys.size(); ++i)
                if (keys[i] == key) return &values[i];
            return nullptr;
        }
        std::string get(std::string_view key) {
            auto const* value = find(key);
            return value != nullptr ? *value : std::string();
        }
        void set(std::string_view key, std::string value) {
            if (auto* known = find(key)) {
                *known = std::move(value);
            } else {
                keys.emplace_back(key);
                values.push_back(std::move(value));
            }
        }
        void set_all(PQconninfoOption const* list) {
            for (; list != nullptr && list->keyword != nullptr; ++list)
                if (list->val != nullptr) set(list->keyword, list->val);
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

    // Whether libpq would take a part of the password for a host or a database, since an '@' or '/' in it is not
    // percent-encoded: in a URI's authority and path it sees an '@' only if that comes before any '/', and only once.
    static bool is_misread(std::string_view url) {
        auto const scheme = url.find("://");
        if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) return false;
        url.remove_prefix(scheme + 3);
        url.remove_prefix(std::min(url.find_first_of("@/"), url.size() - 1) + 1);
        return url.substr(0, url.find('?')).find('@') != url.npos;
    }

    // All that libpq goes by: the connection string, and for what it leaves open the environment. A string that names a
    // service leaves that to libpq, which alone reads the file of services.
    std::optional<options> parse() {
        using list = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
        if (is_misread(url_)) return std::nullopt;
        char* complaint = nullptr;
        list const parsed(PQconninfoParse(url_.c_str(), &complaint), &PQconninfoFree);
        PQfreemem(complaint);
        if (!parsed) return std::nullopt;
        options result;
        result.set_all(parsed.get());
        if (result.get("service").empty()) {
            list const defaults(PQconndefaults(), &PQconninfoFree);
            result.set_all(defaults.get());
            result.set_all(parsed.get());
        }
        password_ = result.get("password");
        return result;
    }

    static std::vector<std::string> split(std::string const& list) {
        std::vector<std::string> items(1);
        for (char c : list)
            if (c == ',') items.emplace_back();
            else items.back() += c;
        return items;
    }

    static std::string join(std::vector<std::string> const& items) {
        std::string list = items[0];
        for (std::size_t i = 1; i < items.size(); ++i) list += "," + items[i];
        return list;
    }

    // Looks up the names in `host`, so that libpq need not: each address becomes a `hostaddr` beside its host.
    boost::asio::awaitable<std::string> resolve_hosts(options& given, connection& link) {
        if (given.get("host").empty() || !given.get("hostaddr").empty()) co_return std::string();
        auto const hosts = split(given.get("host"));
        auto const ports = split(given.get("port"));  // one for all hosts, or one for each
        std::vector<std::string> new_hosts, new_addresses, new_ports;
        std::string problems;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            std::vector<std::string> addresses(1);
            bool const is_path = hosts[i].empty() || hosts[i][0] == '/' || hosts[i][0] == '@';
            if (!is_path) {
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
        given.set("host", join(new_hosts));
        given.set("hostaddr", join(new_addresses));
        if (ports.size() > 1) given.set("port", join(new_ports));
        co_return std::string();
    }

    boost::asio::awaitable<outcome_type> connect(connection& link) {
        auto given = parse();
        if (!given) co_return not_valid();
        for (char c : given->get("port"))
            if (c != ',' && (c < '0' || c > '9')) co_return not_valid();
        auto const ports = split(given->get("port")).size();
        auto const hosts = split(given->get(given->get("hostaddr").empty() ? "host" : "hostaddr")).size();
        if (ports > 1 && ports != hosts) co_return not_valid();

        std::string const unresolved = co_await resolve_hosts(*given, link);
        if (!unresolved.empty()) co_return connection_error(unresolved, link);

        if (settings_.statement_timeout) {
            auto const user_options = given->get("options");
            given->set("options", user_options + " -c statement_timeout=" + std::to_string(link.timeout.count()));
        }
        given->set("fallback_application_name", "healthz");
        if (given->get("client_encoding").empty()) given->set("client_encoding", "UTF8");

        std::vector<char const*> keys, values;
        for (auto const& key : given->keys) keys.push_back(key.c_str());
        for (auto const& value : given->values) values.push_back(value.c_str());
        keys.push_back(nullptr);
        values.push_back(nullptr);
        link.handle = PQconnectStartParams(keys.data(), values.data(), 0);
        if (link.handle == nullptr) co_return outcome_type::error("connection error", "out of memory");
        PQsetNoticeProcessor(link.handle, [](void*, char const*) {}, nullptr);
        if (PQstatus(link.handle) == CONNECTION_BAD) {
            std::string const text = PQerrorMessage(link.handle);
            if (text.find("connection to server") == std::string::npos) co_return not_valid();
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
        if (state != nullptr && state == query_canceled && settings_.statement_timeout) return outcome_type::timeout();
        return query_error(PQresultErrorMessage(part), link);
    }

    postgres const& settings_;
    std::string url_;
    std::string password_;
    std::unique_ptr<connection> link_;
};

}  // namespace healthz
