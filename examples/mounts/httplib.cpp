// SPDX-License-Identifier: BSL-1.0
// In cpp-httplib.
#include "demo.hpp"

#include <httplib.h>

#include <stdexcept>
#include <thread>

httplib::Server::HandlerResponse handle(httplib::Request const& request, httplib::Response& response) {
    auto const answer = answer_to(healthz::http_request(request.method, request.target).with(request.headers));
    response.status = static_cast<int>(answer.status);
    response.set_content(answer.body.data(), answer.body.size(), answer.type);  // for HEAD the server counts it, and sends nothing
    answer.for_each_field([&](auto name, auto value) { response.set_header(name.data(), value.data()); });
    return httplib::Server::HandlerResponse::Handled;
}

void serve(std::uint16_t port) {
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(16); };
    server.set_tcp_nodelay(true);
    server.set_pre_routing_handler(handle);
    if (!server.bind_to_port("127.0.0.1", port)) throw std::runtime_error("cannot listen");
    std::thread listening([&] { server.listen_after_bind(); });
    wait_for_end();
    server.stop();
    listening.join();
}
