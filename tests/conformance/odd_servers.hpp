// SPDX-License-Identifier: BSL-1.0
// Servers that misbehave, and places where there is none.
// Needs Boost.Asio and Linux; no test framework.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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

/// Listens on 127.0.0.1, and passes on what its clients and a server there say to each other. What it has forgotten it neither passes on nor
/// closes, as after a failover, or where a router has lost its table.
class forgetful_proxy {
public:
    explicit forgetful_proxy(std::string const& server_port)
        : server_(net::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(server_port))) {
        accept();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~forgetful_proxy() {
        context_.stop();
        thread_.join();
    }
    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

    /// Forgets the connections that there are; new ones work.
    void forget() { forgotten_ = accepted_.load(); }

private:
    using socket = net::ip::tcp::socket;
    struct direction {
        socket from;
        std::array<char, 16384> bytes{};
    };
    struct connection {
        direction up, down;
        std::size_t number;
    };

    void accept() {
        acceptor_.async_accept([this](boost::system::error_code ec, socket client) {
            if (ec) return;
            auto const one = std::make_shared<connection>(connection{{std::move(client)}, {socket(context_)}, accepted_++});
            one->down.from.connect(server_, ec);
            if (!ec) {
                pass(*one, one->up, one->down);
                pass(*one, one->down, one->up);
                kept_.push_back(one);
            }
            accept();
        });
    }
    void pass(connection& one, direction& way, direction& back) {
        way.from.async_read_some(net::buffer(way.bytes), [&, this](boost::system::error_code ec, std::size_t size) {
            if (one.number < forgotten_) return;
            if (ec) return end(one);
            net::async_write(back.from, net::buffer(way.bytes, size), [&, this](boost::system::error_code failed, std::size_t) {
                if (failed) end(one);
                else pass(one, way, back);
            });
        });
    }
    static void end(connection& one) {
        boost::system::error_code ignored;
        one.up.from.close(ignored);
        one.down.from.close(ignored);
    }

    net::ip::tcp::endpoint const server_;
    net::io_context context_;
    net::ip::tcp::acceptor acceptor_{context_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)};
    std::vector<std::shared_ptr<connection>> kept_;
    std::atomic<std::size_t> accepted_ = 0, forgotten_ = 0;
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
