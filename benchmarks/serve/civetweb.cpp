// SPDX-License-Identifier: BSL-1.0
// CivetWeb, which has a thread a connection. Usage: serve_civetweb PORT FILE
#include "file.hpp"

#include <civetweb.h>
#include <unistd.h>

int handle(mg_connection* connection, void* data) {
    auto const& body = *static_cast<std::string const*>(data);
    mg_response_header_start(connection, 200);
    mg_response_header_add(connection, "Content-Type", "application/json", -1);
    mg_response_header_add(connection, "Content-Length", std::to_string(body.size()).c_str(), -1);
    mg_response_header_add(connection, "Cache-Control", "no-store", -1);
    mg_response_header_send(connection);
    mg_write(connection, body.data(), body.size());
    return 200;
}

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto body = read_file(words[2]);
    auto const place = std::string("127.0.0.1:") + words[1];
    char const* options[] = {"listening_ports", place.c_str(), "num_threads", "16", "enable_keep_alive", "yes",
                             "tcp_nodelay",     "1",           nullptr};
    mg_callbacks const callbacks{};
    auto* const server = mg_start(&callbacks, nullptr, options);
    if (server == nullptr) return EXIT_FAILURE;
    mg_set_request_handler(server, "**", handle, &body);
    pause();
}
