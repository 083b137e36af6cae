// SPDX-License-Identifier: BSL-1.0
// Servers that misbehave, and places where there is none.
// Needs Boost.Asio and Linux; no test framework.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace test {

namespace net = boost::asio;

/// Listens on 127.0.0.1 and treats each client, one after the other, in its own way.
class odd_server {
public:
    using treatment = std::function<void(net::ip::tcp::socket&)>;

    explicit odd_server(treatment treat) : treat_(std::move(treat)) {
        thread_ = std::thread([this] {
            while (true) {
                auto client = acceptor_.accept();
                if (ending_) return;
                try {
                    treat_(client);
                } catch (boost::system::system_error const&) {
                    // the client has gone
                }
            }
        });
    }
    ~odd_server() {
        ending_ = true;
        net::io_context context;
        net::ip::tcp::socket last(context);
        last.connect(acceptor_.local_endpoint());
        thread_.join();
    }
    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

    /// One that answers whatever comes first by `bytes`, and then waits for the client to go.
    static treatment answer(std::string bytes) {
        return [bytes = std::move(bytes)](net::ip::tcp::socket& client) {
            char some[1000];
            client.read_some(net::buffer(some));
            net::write(client, net::buffer(bytes));
            wait_for_end(client);
        };
    }
    static void wait_for_end(net::ip::tcp::socket& client) {
        boost::system::error_code ec;
        for (char some[1000]; !ec;) client.read_some(net::buffer(some), ec);
    }

private:
    treatment treat_;
    net::io_context context_;
    net::ip::tcp::acceptor acceptor_{context_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)};
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

/// Listens on 127.0.0.1 and never accepts: the system drops what would connect.
class full_backlog {
public:
    full_backlog() {
        acceptor_.listen(0);
        for (int i = 0; i < 8; ++i) {
            waiting_.emplace_back(context_);
            waiting_.back().open(net::ip::tcp::v4());
            waiting_.back().native_non_blocking(true);
            auto const to = acceptor_.local_endpoint();
            ::connect(waiting_.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
        }
    }
    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

private:
    net::io_context context_;
    net::ip::tcp::acceptor acceptor_{context_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)};
    std::vector<net::ip::tcp::socket> waiting_;
};

/// A port of 127.0.0.1 where nobody listens: bound, so that nobody else gets it. A server to which it is given may listen there
/// meanwhile, if it sets SO_REUSEADDR, as servers do.
class closed_port {
public:
    closed_port() {
        socket_.set_option(net::socket_base::reuse_address(true));
        socket_.bind({net::ip::address_v4::loopback(), 0});
    }
    int number() const { return socket_.local_endpoint().port(); }
    std::string port() const { return std::to_string(number()); }

private:
    net::io_context context_;
    net::ip::tcp::socket socket_{context_, net::ip::tcp::v4()};
};

/// Any four characters of `password` that stand side by side in `document`, or nothing.
inline std::string leak(std::string const& document, std::string const& password) {
    for (std::size_t i = 0; i + 4 <= password.size(); ++i)
        if (document.find(password.substr(i, 4)) != document.npos) return password.substr(i, 4);
    return {};
}

}  // namespace test
