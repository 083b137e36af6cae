// SPDX-License-Identifier: BSL-1.0
// In cpp-httplib.
#include "demo.hpp"

#include <httplib.h>

#include <stdexcept>
#include <thread>

void handle(httplib::Request const& request, httplib::Response& response) {
    auto const answer = answer_to(healthz::http_request(request.method, request.target).with(request.headers));
    response.status = static_cast<int>(answer.status);
    response.set_content(answer.body.data(), answer.body.size(), answer.type);  // for HEAD the server counts it, and sends nothing
    answer.for_each_field([&](auto name, auto value) { response.set_header(name.data(), value.data()); });
}

void serve(std::uint16_t port) {
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(16); };
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(10000);          // its own is five requests a connection
    server.set_socket_options([](socket_t socket) {  // its own leave the port in use for a minute after the program has ended
        int const on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    // By routes, for which it reads the body; behind what it asks before them, the body would be taken for the next request.
    char const* const any = R"([\s\S]*)";
    server.Get(any, handle).Post(any, handle).Put(any, handle).Patch(any, handle).Delete(any, handle).Options(any, handle);
    if (!server.bind_to_port("127.0.0.1", port)) throw std::runtime_error("cannot listen");
    std::thread listening([&] { server.listen_after_bind(); });
    wait_for_end();
    server.stop();
    listening.join();
}
