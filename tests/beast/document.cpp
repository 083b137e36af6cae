// SPDX-License-Identifier: BSL-1.0
// The bytes of answers: made once, dated once a second, and never changed under somebody's hands.
#include "support.hpp"

#include <healthz/beast/answer_queue.hpp>
#include <healthz/hosted/shared_document.hpp>

#include <atomic>
#include <thread>

namespace {

using healthz::answer;
using document = healthz::shared_document;
using healthz::detail::error_answers;

constexpr std::string_view ok_header =
    "HTTP/1.1 200 OK\r\nDate: Tue, 09 Aug 2022 09:32:05 GMT\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nContent-Length: ";
constexpr std::time_t moment = 1660037525;

std::string whole_document() {
    return std::string(ok_header) + std::to_string(four::document.size()) + "\r\n\r\n" + std::string(four::document);
}

}  // namespace

TEST_CASE("a document has the date of the moment at which it is asked for") {
    document d;
    d.update(four::report());
    CHECK(d.latest(moment)->bytes == whole_document());
    CHECK(d.latest(moment + 1)->bytes.find("Date: Tue, 09 Aug 2022 09:32:06 GMT\r\n") == ok_header.find("Date"));
    CHECK(d.latest(moment)->bytes == whole_document());  // a clock may be set back
    d.update(four::report(), 1);
    CHECK(d.latest(moment)->bytes == whole_document());
}

TEST_CASE("a date is written in place, and into a copy where somebody holds the answer") {
    document d;
    d.update(four::report());
    auto const* const first = d.latest(moment).get();
    CHECK(d.latest(moment + 1).get() == first);
    auto const held = d.latest(moment + 1);
    auto const before = held->bytes;
    CHECK(d.latest(moment + 1) == held);  // nothing is made within a second
    auto const next = d.latest(moment + 2);
    CHECK(next != held);
    CHECK(held->bytes == before);
    CHECK(next->body() == held->body());
    CHECK(next->all_ok == held->all_ok);
}

TEST_CASE("errors have their field, their date and their body, and are made once") {
    error_answers errors;
    CHECK(errors.at(answer::secret_wrong, moment)->bytes ==
          "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: X-Hasura-Admin-Secret\r\nDate: Tue, 09 Aug 2022 09:32:05 GMT\r\n"
          "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 95\r\n\r\n" +
              std::string(invalid_body));
    for (std::size_t i = 2; i < healthz::detail::answer_count; ++i) {
        auto const which = static_cast<answer>(i);
        auto const error = healthz::error_of(which);
        auto const made = errors.at(which, moment);
        CHECK(made->body() == error.body);
        CHECK(made->status_line().starts_with("HTTP/1.1 " + std::to_string(error.status) + " " + std::string(error.reason) + "\r\n"));
        CHECK((made->status_line().find("WWW-Authenticate") != std::string_view::npos) == (error.status == 401));
        CHECK((made->status_line().find("Allow") != std::string_view::npos) == (error.status == 405));
        CHECK(errors.at(which, moment) == made);
        CHECK(errors.at(which, moment + 1) != made);
    }
}

TEST_CASE("an answer that somebody holds keeps its date, whatever another thread asks for or publishes") {
    document shared;
    auto const report = four::report();
    shared.update(report);
    std::atomic<bool> done = false;
    std::atomic<int> torn = 0;
    std::thread reader([&] {
        for (std::time_t now = moment; !done; ++now) {
            auto const held = shared.latest(now);
            std::string const before = held->bytes;
            std::this_thread::yield();
            torn += held->bytes != before || held->second != now || held->body() != four::document;
        }
    });
    for (int i = 0; i < 20000; ++i) {
        shared.update(report, static_cast<std::size_t>(i) % report.size());
        auto const held = shared.latest();
        std::string const before = held->bytes;
        torn += held->bytes != before;
    }
    done = true;
    reader.join();
    CHECK(torn == 0);
}
