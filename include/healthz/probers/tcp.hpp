// SPDX-License-Identifier: BSL-1.0
// tcp: something accepts connections at an address.
// Needs Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <charconv>

namespace healthz {

/// OK when a TCP connection to `address` is accepted; it is closed at once. A coroutine prober: never blocks the loop.
/// `address` is `host:port`, with a name, an IPv4 address or `[IPv6 address]` for the host; each address that a name has is
/// tried in turn. ERROR quotes what the system said for each; FAILED: no address, or not of that form.
struct tcp {
    setting address;

    using outcome_type = basic_outcome<512>;

    boost::asio::awaitable<outcome_type> probe() const {
        std::string problem;
        auto const text = address.read("address", problem);
        if (!text) co_return outcome_type::failed(problem);
        auto const where = split(*text);
        if (!where) co_return outcome_type::failed(address.name("address") + " is not of the form host:port");

        asio::resolved const found = co_await asio::resolve(where->host, where->port);
        if (found.endpoints.empty()) co_return outcome_type::error("name not resolved", where->host + ": " + found.problem);

        std::string refusals;
        for (auto const& endpoint : found.endpoints) {
            auto const executor = co_await boost::asio::this_coro::executor;
            boost::asio::ip::tcp::socket socket(executor);
            boost::system::error_code ec;
            co_await socket.async_connect(endpoint, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
            if (!ec && is_itself(socket)) ec = boost::asio::error::connection_refused;
            if (!ec) co_return outcome_type::ok();
            if (!refusals.empty()) refusals += '\n';
            refusals += to_text(endpoint) + ": " + ec.message();
        }
        co_return outcome_type::error("connection error", refusals);
    }

private:
    struct host_and_port {
        std::string host;
        std::string port;
    };

    static std::optional<host_and_port> split(std::string_view text) {
        auto const colon = text.rfind(':');
        if (colon == text.npos) return std::nullopt;
        auto host = text.substr(0, colon);
        auto const port = text.substr(colon + 1);
        bool const is_v6 = host.find(':') != host.npos;
        if (is_v6 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        else if (is_v6) return std::nullopt;
        if (host.find_first_of("[]*") != host.npos) return std::nullopt;  // "*" is the loopback address to glibc
        unsigned number = 0;
        auto const [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
        bool const is_port = code == std::errc() && end == port.data() + port.size() && number > 0 && number < 65536;
        if (host.empty() || !is_port) return std::nullopt;
        return host_and_port{std::string(host), std::string(port)};
    }

    // Where nobody listens on a local port, TCP may connect a socket to itself.
    static bool is_itself(boost::asio::ip::tcp::socket const& socket) {
        boost::system::error_code ec;
        return socket.local_endpoint(ec) == socket.remote_endpoint(ec);
    }

    static std::string to_text(boost::asio::ip::tcp::endpoint const& endpoint) {
        auto const address_text = endpoint.address().to_string();
        return (endpoint.address().is_v6() ? "[" + address_text + "]" : address_text) + ":" + std::to_string(endpoint.port());
    }
};

}  // namespace healthz
