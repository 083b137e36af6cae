// SPDX-License-Identifier: BSL-1.0
// Speaks SQL Server's protocol (TDS 7.2 to 7.4) as it is documented, far enough for real clients to log in and ask.
// Links with nothing but threads.
#pragma once

#include "wire.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace test {

/// A server on 127.0.0.1 with one user and one database. What it does with a query goes by the query's text, see `answer`;
/// how it treats a login goes by `behave`. Each connection has a thread; none outlives the responder.
class tds_responder {
public:
    static constexpr char const* user = "monitor";
    static constexpr char const* password = "Vq8zKw3x";
    static constexpr char const* database = "orders";

    enum class manner {
        proper,
        silent_at_once,   ///< accepts the connection and says nothing
        silent_at_login,  ///< answers PRELOGIN, but not LOGIN7
        closes_at_login,  ///< closes the connection in place of an answer to LOGIN7
        garbled,          ///< answers everything with bytes that are no TDS
    };

    explicit tds_responder(int port = 0) : port_(port) { start(); }
    ~tds_responder() { stop(); }
    tds_responder(tds_responder const&) = delete;
    tds_responder& operator=(tds_responder const&) = delete;

    int port() const { return port_; }
    void behave(manner m) { manner_ = m; }

    /// Another password than the usual one, for those with odd characters.
    void set_password(std::u16string text) {
        std::lock_guard lock(mutex_);
        password_ = std::move(text);
    }

    /// Connections that are open, and logins so far.
    int connections() const { return connections_; }
    int logins() const { return logins_; }
    /// The last query that was asked, and how many were cancelled by an ATTENTION.
    std::string last_query() const {
        std::lock_guard lock(mutex_);
        return last_query_;
    }
    int cancelled() const { return cancelled_; }

    /// As if the process were stopped by a signal: the system accepts connections and bytes, and nobody answers.
    void stand_still(bool still) {
        std::lock_guard lock(mutex_);
        still_ = still;
        changed_.notify_all();
    }

    /// Listens again, on the same port.
    void start() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int const yes = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        socklen_t size = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, where, size) != 0 || ::listen(listener_, 64) != 0 || ::getsockname(listener_, where, &size) != 0)
            throw std::runtime_error("the responder cannot listen");
        port_ = ntohs(address.sin_port);
        stopping_ = false;
        acceptor_ = std::thread([this] { accept(); });
    }

    /// Ends every connection and stops listening.
    void stop() {
        if (!acceptor_.joinable()) return;
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
            changed_.notify_all();
        }
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        disconnect_all();
        for (auto& each : clients_) each.thread.join();
        clients_.clear();
    }

    /// Ends every connection, as a restart or a failover does.
    void disconnect_all() {
        std::lock_guard lock(mutex_);
        for (auto const& each : clients_)
            if (each.socket >= 0) ::shutdown(each.socket, SHUT_RDWR);
    }

private:
    struct client {
        int socket;
        std::thread thread;
    };

    void wait_while_still() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !still_ || stopping_; });
    }

    void accept() {
        while (true) {
            int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            std::lock_guard lock(mutex_);
            clients_.remove_if([](client& each) {
                if (each.socket < 0) each.thread.join();
                return each.socket < 0;
            });
            auto& added = clients_.emplace_back(client{fd, {}});
            ++connections_;
            added.thread = std::thread([this, &added] {
                tds::channel channel(added.socket);
                try {
                    serve(channel);
                } catch (tds::closed const&) {}
                std::lock_guard ended(mutex_);
                ::close(std::exchange(added.socket, -1));
                --connections_;
            });
        }
    }

    /// One connection, until it is closed.
    void serve(tds::channel& channel) {
        while (true) {
            auto const message = channel.read();
            wait_while_still();
            auto const how = manner_.load();
            if (how == manner::silent_at_once) channel.wait_until_closed();
            if (how == manner::garbled) return channel.write_raw("HTTP/1.1 400 Bad Request\r\n\r\n");
            switch (message.type) {
                case tds::prelogin: channel.write(tds::prelogin_reply()); break;
                case tds::login7:
                    if (how == manner::silent_at_login) channel.wait_until_closed();
                    if (how == manner::closes_at_login || !log_in(channel, message.body)) return;
                    break;
                case tds::sql_batch: answer(channel, tds::batch_text(message.body), nullptr); break;
                case tds::rpc: {
                    auto const call = tds::parse_rpc(message.body);
                    if (call.text.empty()) channel.write(tds::return_status() + tds::done(0xFE, 0, 0));
                    else answer(channel, call.text, &call);
                    break;
                }
                case tds::attention: channel.write(tds::done(0xFD, 0x20, 0)); break;
                default: return;
            }
        }
    }

    bool log_in(tds::channel& channel, std::string const& body) {
        auto const asked = tds::parse_login(body);
        std::u16string expected;
        {
            std::lock_guard lock(mutex_);
            expected = password_;
        }
        if (asked.user != tds::wide(user) || asked.password != expected) {
            channel.write(tds::error(18456, 14, u"Login failed for user '" + asked.user + u"'.") + tds::done(0xFD, 2, 0));
            return false;
        }
        if (!asked.database.empty() && asked.database != tds::wide(database)) {
            channel.write(
                tds::error(4060, 11, u"Cannot open database \"" + asked.database + u"\" requested by the login. The login failed.") +
                tds::done(0xFD, 2, 0));
            return false;
        }
        ++logins_;
        channel.write(tds::login_accepted(tds::wide(database)));
        return true;
    }

    /// The queries that it knows. A query that came as a procedure call is answered in that form.
    void answer(tds::channel& channel, std::u16string const& text, tds::procedure_call const* call) {
        auto query = tds::narrow(text);
        query.erase(query.find_last_not_of(" ;\r\n") + 1);
        {
            std::lock_guard lock(mutex_);
            last_query_ = query;
        }
        auto const finish = [&](std::string const& reply, std::uint16_t status, std::uint64_t rows) {
            if (call == nullptr) return channel.write(reply + tds::done(0xFD, status, rows));
            channel.write(reply + tds::done(0xFF, static_cast<std::uint16_t>(status | 1), rows) + tds::return_status() +
                          (call->wants_handle ? tds::return_handle() : std::string()) +
                          tds::done(0xFE, static_cast<std::uint16_t>(status & 2), 0));
        };
        auto const fail = [&](std::uint32_t number, std::u16string const& why) { finish(tds::error(number, 16, why), 2, 0); };
        constexpr std::uint16_t counted = 0x10;

        if (query == "SELECT 1") {
            finish(tds::integer_column() + tds::integer_row(1), counted, 1);
        } else if (query == "SELECT 1/0") {
            fail(8134, u"Divide by zero error encountered.");
        } else if (query.starts_with("SELECT * FROM no_such_table")) {
            fail(208, u"Invalid object name 'no_such_table'.");
        } else if (query.starts_with("RAISERROR ")) {
            fail(50000, text.substr(10));
        } else if (query == "RAISERROR_ODD") {  // what no client can send: a NUL, half a surrogate pair, and a great deal
            fail(50000, std::u16string(u"<\u00E4\u00F6\u20AC\x01\"\n\0\xD800>", 11) + std::u16string(30000, u'\u20AC'));
        } else if (query.starts_with("SELECT TOP ")) {  // that many rows, of nine bytes each on the wire
            auto const count = std::strtoul(query.c_str() + 11, nullptr, 10);
            std::string reply = tds::integer_column();
            for (unsigned long i = 0; i < count; ++i) reply += tds::integer_row(static_cast<std::uint32_t>(i));
            finish(reply, counted, count);
        } else if (query == "SELECT NULL AND DIE") {  // in the middle of a row
            channel.write_part(tds::integer_column() + tds::integer_row(1) + tds::integer_row(2).substr(0, 3));
            throw tds::closed();
        } else if (query == "DIE") {
            throw tds::closed();
        } else if (query.starts_with("WAITFOR DELAY")) {  // of so many milliseconds
            auto const delay = std::strtol(query.c_str() + 13, nullptr, 10);
            if (!channel.read_within(static_cast<int>(delay))) return finish({}, 0, 0);
            if (channel.read().type != tds::attention) throw tds::closed();
            ++cancelled_;
            channel.write(tds::done(0xFD, 2, 0));
            channel.write(tds::done(0xFD, 0x20, 0));
        } else if (query == "NEVER") {
            channel.wait_until_closed();
        } else if (query.find("SELECT") != query.npos) {
            fail(102, u"Incorrect syntax near '" + text + u"'.");
        } else {
            finish({}, 0, 0);  // SET and USE, which clients send on their own
        }
    }

    int port_;
    int listener_ = -1;
    std::thread acceptor_;
    std::mutex mutable mutex_;
    std::condition_variable changed_;
    std::list<client> clients_;
    std::u16string password_ = tds::wide(password);
    std::string last_query_;
    bool still_ = false;
    bool stopping_ = false;
    std::atomic<manner> manner_ = manner::proper;
    std::atomic<int> connections_ = 0;
    std::atomic<int> logins_ = 0;
    std::atomic<int> cancelled_ = 0;
};

}  // namespace test
