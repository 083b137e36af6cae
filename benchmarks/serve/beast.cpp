// SPDX-License-Identifier: BSL-1.0
// Beast as its examples use it: async_read a request, async_write a response<string_body>. Usage: serve_beast PORT FILE
#include "file.hpp"

#include <boost/asio.hpp>
#include <boost/beast.hpp>

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;

namespace {

net::awaitable<void> converse(beast::tcp_stream stream, std::string const& body) {
    beast::flat_buffer buffer;
    boost::system::error_code ec;
    for (;;) {
        http::request<http::string_body> request;
        co_await http::async_read(stream, buffer, request, net::redirect_error(net::use_awaitable, ec));
        if (ec) co_return;
        http::response<http::string_body> response(http::status::ok, request.version());
        response.set(http::field::content_type, "application/json");
        response.set(http::field::cache_control, "no-store");
        response.keep_alive(request.keep_alive());
        response.body() = body;
        response.prepare_payload();
        co_await http::async_write(stream, response, net::redirect_error(net::use_awaitable, ec));
        if (ec) co_return;
    }
}

net::awaitable<void> accept(net::ip::tcp::acceptor acceptor, std::string const& body) {
    for (;;) {
        net::ip::tcp::socket socket = co_await acceptor.async_accept(net::use_awaitable);
        socket.set_option(net::ip::tcp::no_delay(true));
        beast::tcp_stream stream(std::move(socket));
        net::co_spawn(acceptor.get_executor(), converse(std::move(stream), body), net::detached);
    }
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto const body = read_file(words[2]);
    net::io_context context(1);
    net::ip::tcp::acceptor acceptor(context, {net::ip::make_address("127.0.0.1"), port_of(words[1])});
    net::co_spawn(context, accept(std::move(acceptor), body), net::detached);
    context.run();
}
