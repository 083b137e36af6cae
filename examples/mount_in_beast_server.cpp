// SPDX-License-Identifier: BSL-1.0
// The endpoint in a Beast server that was there before: one `if` in its handler.
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>
#include <healthz/beast/endpoint.hpp>
#include <healthz/probers/tcp.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <iostream>

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto sources =
    healthz::sources(healthz::source<"self">(healthz::tcp{.address = "127.0.0.1:8081"}, {.interval = 1s, .timeout = 500ms, .retries = 0}));

using sources_endpoint = healthz::beast::endpoint<healthz::admin_secret>;

http::message_generator handle_request(sources_endpoint const& healthz_endpoint, http::request<http::string_body> const& request) {
    if (healthz_endpoint.owns(request.target())) return healthz_endpoint(request);

    http::response<http::string_body> hello(http::status::ok, request.version());
    hello.keep_alive(request.keep_alive());
    hello.body() = "Hello from a server of one's own.\n";
    hello.prepare_payload();
    return hello;
}

asio::awaitable<void> do_session(beast::tcp_stream stream, sources_endpoint const& healthz_endpoint) {
    beast::flat_buffer buffer;
    for (bool keep_alive = true; keep_alive;) {
        boost::system::error_code ec;
        http::request<http::string_body> request;
        stream.expires_after(30s);
        co_await http::async_read(stream, buffer, request, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        http::message_generator response = handle_request(healthz_endpoint, request);
        keep_alive = response.keep_alive();
        co_await beast::async_write(stream, std::move(response), asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
    }
}

asio::awaitable<void> do_listen(asio::ip::tcp::acceptor acceptor, sources_endpoint const& healthz_endpoint) {
    while (true) {
        boost::system::error_code ec;
        auto const executor = co_await asio::this_coro::executor;
        asio::ip::tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) {  // out of descriptors, say: better later than never
            asio::steady_timer pause(executor, 100ms);
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        asio::co_spawn(executor, do_session(beast::tcp_stream(std::move(socket)), healthz_endpoint), asio::detached);
    }
}

int main() try {
    asio::io_context context;

    healthz::beast::document document;
    sources_endpoint const healthz_endpoint(document, healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")));
    healthz::runner<sources> runner(context.get_executor(), [&](auto const& report, std::size_t index) { document.update(report, index); });

    asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 8081});
    asio::co_spawn(context, do_listen(std::move(acceptor), healthz_endpoint), asio::detached);
    runner.start();

    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code, int) {
        runner.stop();
        context.stop();
    });
    context.run();
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
