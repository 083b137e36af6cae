// SPDX-License-Identifier: BSL-1.0
// In a server of one's own on Boost.Beast.
#include "demo.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <thread>

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

http::message_generator handle(http::request<http::string_body> const& from) {
    healthz::http_request request(from.method_string(), from.target());
    for (auto const& field : from) request.add(field.name_string(), field.value());
    auto const answer = answer_to(request);
    http::response<http::string_body> response(http::status(answer.status), from.version(), answer.payload());
    response.keep_alive(from.keep_alive());
    response.set(http::field::content_type, answer.type);
    response.content_length(answer.body.size());
    answer.for_each_field([&](auto name, auto value) { response.set(name, value); });
    return response;
}

asio::awaitable<void> do_session(beast::tcp_stream stream) {
    beast::flat_buffer buffer;
    for (bool keep_alive = true; keep_alive;) {
        boost::system::error_code ec;
        http::request_parser<http::string_body> parser;
        parser.header_limit(64 * 1024);
        stream.expires_after(30s);
        co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        auto response = handle(parser.get());
        keep_alive = response.keep_alive();
        co_await beast::async_write(stream, std::move(response), asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
    }
}

asio::awaitable<void> do_listen(asio::ip::tcp::acceptor acceptor) {
    auto const executor = co_await asio::this_coro::executor;
    while (true) {
        boost::system::error_code ec;
        asio::ip::tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) {
            asio::co_spawn(executor, do_session(beast::tcp_stream(std::move(socket))), asio::detached);
            continue;
        }
        asio::steady_timer pause(executor, 100ms);  // out of descriptors, say
        co_await pause.async_wait(asio::use_awaitable);
    }
}

void serve(std::uint16_t port) {
    asio::io_context context;
    asio::co_spawn(context, do_listen({context, {asio::ip::make_address("127.0.0.1"), port}}), asio::detached);
    std::thread serving([&] { context.run(); });
    wait_for_end();
    context.stop();
    serving.join();
}
