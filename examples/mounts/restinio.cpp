// SPDX-License-Identifier: BSL-1.0
// In RESTinio.
#define RESTINIO_USE_BOOST_ASIO 1
#include "demo.hpp"

#include <restinio/all.hpp>

#include <string>

restinio::request_handling_status_t handle(restinio::request_handle_t const& from) {
    auto const& header = from->header();
    healthz::http_request request(header.method().c_str(), header.request_target());
    header.for_each_field([&](auto const& field) { request.add(field.name(), field.value()); });
    auto const answer = answer_to(request);
    auto const send = [&](auto response) {
        response.append_header("Content-Type", answer.type);
        answer.for_each_field([&](auto name, auto value) { response.append_header(std::string(name), std::string(value)); });
        if constexpr (requires { response.set_content_length(0); }) response.set_content_length(answer.body.size());
        response.set_body(std::string(answer.payload()));
        return response.done();
    };
    restinio::http_status_line_t const line(restinio::http_status_code_t(static_cast<std::uint16_t>(answer.status)),
                                            std::string(answer.reason));
    if (answer.has_body) return send(from->create_response(line));
    return send(from->create_response<restinio::user_controlled_output_t>(line));
}

void serve(std::uint16_t port) {
    using traits = restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t>;
    auto const server = restinio::run_async<traits>(
        restinio::own_io_context(), restinio::server_settings_t<traits>().port(port).address("127.0.0.1").request_handler(handle), 1);
    wait_for_end();
}
