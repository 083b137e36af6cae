// SPDX-License-Identifier: BSL-1.0
// In CivetWeb.
#include "demo.hpp"

#include <civetweb.h>

#include <stdexcept>
#include <string>

int handle(mg_connection* connection, void*) {
    auto const* const from = mg_get_request_info(connection);
    healthz::http_request request(from->request_method, from->request_uri, from->query_string != nullptr ? from->query_string : "");
    for (int i = 0; i < from->num_headers; ++i) request.add(from->http_headers[i].name, from->http_headers[i].value);
    auto const answer = answer_to(request);
    mg_response_header_start(connection, static_cast<int>(answer.status));
    mg_response_header_add(connection, "Content-Type", answer.type, -1);
    mg_response_header_add(connection, "Content-Length", std::to_string(answer.body.size()).c_str(), -1);
    answer.for_each_field(
        [&](auto name, auto value) { mg_response_header_add(connection, name.data(), value.data(), static_cast<int>(value.size())); });
    mg_response_header_send(connection);
    mg_write(connection, answer.payload().data(), answer.payload().size());
    return static_cast<int>(answer.status);
}

void serve(std::uint16_t port) {
    auto const place = "127.0.0.1:" + std::to_string(port);
    char const* options[] = {"listening_ports", place.c_str(), "num_threads", "16", "enable_keep_alive", "yes", "tcp_nodelay", "1",
                             "decode_url",      "no",          nullptr};
    mg_callbacks const callbacks{};
    auto* const server = mg_start(&callbacks, nullptr, options);
    if (server == nullptr) throw std::runtime_error("cannot listen");
    mg_set_request_handler(server, "**", handle, nullptr);
    wait_for_end();
    mg_stop(server);
}
