// SPDX-License-Identifier: BSL-1.0
// restinio, one thread, with Boost.Asio. Usage: serve_restinio PORT FILE
#define RESTINIO_USE_BOOST_ASIO 1
#include "file.hpp"

#include <restinio/all.hpp>

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    auto const body = read_file(words[2]);
    using traits = restinio::traits_t<restinio::null_timer_manager_t, restinio::null_logger_t>;
    auto settings = restinio::on_this_thread<traits>();
    settings.port(port_of(words[1])).address("127.0.0.1").max_pipelined_requests(16);
    settings.request_handler([&body](auto const& request) {
        return request->create_response()
            .append_header("Content-Type", "application/json")
            .append_header("Cache-Control", "no-store")
            .set_body(body)
            .done();
    });
    restinio::run(std::move(settings));
}
