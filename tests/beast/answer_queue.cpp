// SPDX-License-Identifier: BSL-1.0
// The answers of one connection: what they are made of, and that they live until they are written.
#include "support.hpp"

#include <healthz/beast/answer_queue.hpp>

namespace {

using healthz::answer;
using healthz::beast::detail::answer_queue;

constexpr std::string_view close_field = "Connection: close\r\n";

std::string text_of(answer_queue const& queue) {
    std::string text;
    for (auto const& each : queue.buffers()) text.append(static_cast<char const*>(each.data()), each.size());
    return text;
}

}  // namespace

TEST_CASE("a queue holds the usual answer as one piece, and others as the parts that differ") {
    healthz::shared_document document;
    document.update(four::report());
    auto const whole = document.latest(0);
    auto const header = whole->bytes.substr(0, whole->header_size), body = std::string(four::document), rest = header.substr(17);
    answer_queue queue;
    CHECK(queue.empty());
    queue.push(false, false, "", whole);
    CHECK(queue.buffers().size() == 1);
    queue.push(false, true, "", whole);
    queue.push(false, false, close_field, whole);
    queue.push(true, false, "", whole);
    queue.push(true, true, close_field, whole);
    CHECK(text_of(queue) == header + body + header + "HTTP/1.1 200 OK\r\n" + std::string(close_field) + rest + body +
                                "HTTP/1.1 503 Service Unavailable\r\n" + rest + body + "HTTP/1.1 503 Service Unavailable\r\n" +
                                std::string(close_field) + rest);
    queue.clear();
    CHECK(queue.empty());
}

TEST_CASE("what a queue holds outlives those that gave it") {
    answer_queue queue;
    {
        healthz::shared_document document;
        healthz::detail::error_answers errors;
        document.update(four::report());
        queue.push(false, false, "", document.latest(1));
        queue.push(false, false, "", errors.at(answer::not_found, 1));
        document.update(healthz::report<four::sources>());
        CHECK(document.latest(2)->body() == "{}");
        CHECK(errors.at(answer::not_found, 2)->second == 2);
    }
    auto const text = text_of(queue);
    CHECK(text.find(four::document) != text.npos);
    CHECK(text.ends_with(not_found_body));
    CHECK(text.find("00:00:02") == text.npos);
}
