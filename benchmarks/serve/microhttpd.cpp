// SPDX-License-Identifier: BSL-1.0
// libmicrohttpd with its own epoll thread. Usage: serve_microhttpd PORT FILE
#include "file.hpp"

#include <microhttpd.h>
#include <unistd.h>

#include <utility>

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto body = read_file(words[2]);
    auto* const response = MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    auto const answer = [](void* cls, MHD_Connection* connection, char const*, char const*, char const*, char const*, std::size_t*,
                           void** seen) {
        if (std::exchange(*seen, cls) == nullptr)
            return MHD_YES;  // an answer at the first call, before the body, would close the connection
        return MHD_queue_response(connection, MHD_HTTP_OK, static_cast<MHD_Response*>(cls));
    };
    auto* const daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, port_of(words[1]), nullptr, nullptr, answer, response,
                                          MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_END);
    if (daemon == nullptr) return EXIT_FAILURE;
    pause();
}
