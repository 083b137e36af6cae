// SPDX-License-Identifier: BSL-1.0
// cpp-httplib, which has a thread a connection. Usage: serve_httplib PORT FILE
#include "file.hpp"

#include <httplib.h>

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto const body = read_file(words[2]);
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(64); };
    server.set_keep_alive_max_count(1000000000);
    server.set_tcp_nodelay(true);
    server.Get("/healthz/sources", [&body](httplib::Request const&, httplib::Response& response) {
        response.set_header("Cache-Control", "no-store");
        response.set_content(body, "application/json");
    });
    server.listen("127.0.0.1", port_of(words[1]));
}
