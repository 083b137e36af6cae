// SPDX-License-Identifier: BSL-1.0
// The endpoint in a server of any kind: a function from request to response, which its threads may call at any time. Here main
// plays the server and prints three responses.
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>
#include <healthz/hosted/admin_secret.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>
#include <map>
#include <thread>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(
    healthz::source<"queue">([] { return healthz::error("queue stalled", "last job 14 minutes ago"); }, {.interval = 1s, .retries = 0}));

// What the server has of a request and wants of a response.
struct http_request {
    std::string method, target;
    std::multimap<std::string, std::string> headers;  // a real one compares names without regard to case

    std::optional<std::string_view> header(char const* name) const {
        auto const found = headers.find(name);
        return found != headers.end() ? std::optional<std::string_view>(found->second) : std::nullopt;
    }
};
struct http_response {
    unsigned status;
    std::string body;
    std::size_t content_length;
    std::string fields;  // lines
};

class sources_endpoint {
public:
    explicit sources_endpoint(healthz::runner<sources> const& runner) : runner_(runner) {}

    http_response operator()(http_request const& request) const {
        auto const report = runner_.snapshot();
        auto const answer = healthz::respond({.method = request.method,
                                              .target = request.target,
                                              .role = request.header("X-Hasura-Role"),
                                              .admin_secret = request.header("X-Hasura-Admin-Secret"),
                                              .access_key = request.header("X-Hasura-Access-Key")},
                                             report, secret_);
        http_response response{answer.status, {}, answer.body_size, "Content-Type: application/json\r\nCache-Control: no-store\r\n"};
        response.fields += answer.field;  // of a 401 or 405, else empty
        healthz::write_body(answer, report, [&](std::string_view piece) { response.body += piece; });
        return response;
    }

private:
    healthz::runner<sources> const& runner_;
    healthz::admin_secret secret_{healthz::env("HEALTHZ_ADMIN_SECRET")};
};

int main() {
    boost::asio::io_context context;
    healthz::runner<sources> runner(context.get_executor());
    runner.start();
    std::jthread const checks([&] { context.run(); });
    while (runner.snapshot().pending() > 0) std::this_thread::sleep_for(10ms);

    sources_endpoint const endpoint(runner);
    for (auto const& request : {http_request{"GET", "/healthz/sources", {{"X-Hasura-Admin-Secret", "open-sesame"}}},
                                http_request{"HEAD", "/healthz/sources", {{"X-Hasura-Admin-Secret", "open-sesame"}}},
                                http_request{"GET", "/healthz/sources", {}}}) {
        auto const response = endpoint(request);
        std::cout << request.method << ": " << response.status << ", " << response.content_length << " bytes\n"
                  << response.fields << response.body << '\n';
    }
    runner.stop();
}
