// SPDX-License-Identifier: BSL-1.0
// In libmicrohttpd.
#include "demo.hpp"

#include <microhttpd.h>
#include <netinet/in.h>

#include <stdexcept>
#include <string>
#include <utility>

MHD_Result add(void* request, MHD_ValueKind, char const* name, char const* value) {
    static_cast<healthz::http_request*>(request)->add(name, value != nullptr ? value : "");
    return MHD_YES;
}

// The target as it came, since what is handed to `handle` is decoded, and has no query.
struct line {
    std::string target;
    bool is_read = false;
};

MHD_Result handle(void*, MHD_Connection* connection, char const*, char const* method, char const*, char const*, std::size_t* size,
                  void** context) {
    auto& from = *static_cast<line*>(*context);
    if (!std::exchange(from.is_read, true) || *size > 0) return *size = 0, MHD_YES;  // an answer before the body would end the connection
    healthz::http_request request(method, from.target);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add, &request);
    auto* const answer = new healthz::site_answer(answer_to(request));
    auto* const response = MHD_create_response_from_buffer_with_free_callback_cls(
        answer->body.size(), const_cast<char*>(answer->body.data()), [](void* sent) { delete static_cast<healthz::site_answer*>(sent); },
        answer);
    MHD_add_response_header(response, "Content-Type", answer->type);
    answer->for_each_field([&](auto name, auto value) { MHD_add_response_header(response, name.data(), value.data()); });
    auto const result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

void* begin(void*, char const* target, MHD_Connection*) { return new line{target}; }
void end(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) { delete static_cast<line*>(*context); }

void serve(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, port, nullptr, nullptr, handle, nullptr, MHD_OPTION_URI_LOG_CALLBACK, begin,
                         nullptr, MHD_OPTION_NOTIFY_COMPLETED, end, nullptr, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (daemon == nullptr) throw std::runtime_error("cannot listen");
    wait_for_end();
    MHD_stop_daemon(daemon);
}
