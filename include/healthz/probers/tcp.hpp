// SPDX-License-Identifier: BSL-1.0
// tcp: something accepts connections at an address, and may be asked for an answer.
// Needs Boost.Asio and threads (for looking up names).
#pragma once

#include "../hosted/setting.hpp"
#include "../net/connect.hpp"
#include "../net/host_and_port.hpp"
#include "../net/open_socket.hpp"
#include "../outcome.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <sys/un.h>

#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// OK when a connection to `address` is accepted and what is expected, if anything, arrives. Then it is closed; if nothing is
/// sent or expected it is reset at once, on Linux usually before the program that listens sees it. A coroutine prober: never blocks
/// the loop. `address` is `host:port`, with a name, an IPv4 address or `[IPv6 address]` for the host, or
/// `unix:/path/of/a/socket`; each address that a name has is tried in turn.
/// ERROR quotes what the system said for each, or what came instead; FAILED: no address, or not of that form.
struct tcp {
    static constexpr char const* kind = "tcp";  ///< as a label of metrics
    setting address;
    /// Bytes to send first. No place for a secret: what comes back is quoted.
    std::string_view send = {};
    /// Bytes that must stand somewhere in what comes, such as a greeting; in its first 4 KiB.
    std::string_view expect = {};

    constexpr char const* complaint() const {
        return address.required("healthz: tcp needs an address: write .address = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    boost::asio::awaitable<outcome_type> probe() const {
        std::string problem;
        auto const text = address.read("address", problem);
        if (!text) co_return outcome_type::failed(problem);
        auto const executor = co_await boost::asio::this_coro::executor;
        stream socket(executor);
        outcome_type connected = outcome_type::failed("");
        if (text->starts_with(unix_prefix)) connected = co_await connect_unix(socket, text->substr(unix_prefix.size()));
        else connected = co_await connect_tcp(socket, *text);
        if (connected.status() != status::ok) co_return connected;
        if (!talks()) {
            boost::system::error_code ignored;
            socket.close(ignored);
            co_return connected;
        }
        outcome_type answered = co_await talk(socket);
        co_return answered;
    }

private:
    using stream = boost::asio::generic::stream_protocol::socket;
    static constexpr std::string_view unix_prefix = "unix:";

    constexpr bool talks() const { return !send.empty() || !expect.empty(); }

    boost::asio::awaitable<outcome_type> connect_tcp(stream& socket, std::string const& text) const {
        auto const where = healthz::detail::host_and_port::parse(text);
        if (!where) co_return outcome_type::failed(address.name("address") + " is not of the form host:port");
        healthz::connected opened =
            co_await healthz::connect(where->host, where->port, talks() ? healthz::detail::purpose::talk : healthz::detail::purpose::look);
        if (!opened.socket) co_return outcome_type::error(opened.message, opened.problem);
        socket = std::move(*opened.socket);
        co_return outcome_type::ok();
    }

    boost::asio::awaitable<outcome_type> connect_unix(stream& socket, std::string const& path) const {
        if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
            co_return outcome_type::failed(address.name("address") + " has a path that no socket can have");
        boost::asio::local::stream_protocol::endpoint const endpoint(path);
        boost::system::error_code ec;
        healthz::detail::open_socket(socket, endpoint.protocol(), ec);
        if (!ec) co_await socket.async_connect(endpoint, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        // Where too many wait to be accepted, the system refuses at once, which looks like a success.
        if (!ec) socket.remote_endpoint(ec);
        if (ec == boost::asio::error::not_connected) ec = boost::asio::error::try_again;
        if (ec) co_return outcome_type::error("connection error", path + ": " + ec.message());
        co_return outcome_type::ok();
    }

    boost::asio::awaitable<outcome_type> talk(stream& socket) const {
        boost::system::error_code ec;
        auto const bytes = boost::asio::buffer(send.data(), send.size());
        co_await boost::asio::async_write(socket, bytes, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        std::string came;
        char room[4096];
        while (!ec && came.find(expect) == came.npos && came.size() < sizeof room) {
            auto const free = boost::asio::buffer(room, sizeof room - came.size());
            auto const count = co_await socket.async_read_some(free, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
            came.append(room, count);
        }
        if (came.find(expect) != came.npos && (!ec || !expect.empty())) co_return outcome_type::ok();
        if (ec && ec != boost::asio::error::eof) co_return outcome_type::error("connection error", ec.message());
        co_return outcome_type::error("expected bytes not found", came);
    }
};

}  // namespace healthz
