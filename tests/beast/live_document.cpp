// SPDX-License-Identifier: BSL-1.0
// A document that is patched verdict by verdict is the one that is written anew.
#include "support.hpp"

#include <healthz/hosted/shared_document.hpp>

#include <atomic>
#include <random>
#include <thread>

namespace {

std::string written(healthz::report_view report) {
    std::string text(healthz::json_size(report), '\0');
    healthz::write_json(report, text);
    return text;
}

healthz::outcome any_outcome(std::mt19937& random) {
    switch (random() % 4) {
        case 0: return healthz::ok();
        case 1: return healthz::timeout();
        case 2: return healthz::failed(std::string(random() % 40, 'f'));
        default: return healthz::error("connection error", std::string(random() % 40, '"'));
    }
}

}  // namespace

TEST_CASE("a live document begins empty") {
    healthz::live_document const live;
    CHECK(live.text() == "{}");
    CHECK_FALSE(live.all_ok());
}

TEST_CASE("a live document is what write_json writes, whatever verdicts arrive in which order") {
    std::mt19937 random(1);
    for (int run = 0; run < 200; ++run) {
        healthz::report<four::sources> report;
        healthz::live_document live;
        healthz::shared_document shared;
        std::vector<std::pair<healthz::detail::shared_answer, std::string>> held;  // by connections that take their time
        if (run % 2 == 1) live.update(report);
        for (int verdict = 0; verdict < 30; ++verdict) {
            auto const index = random() % report.size();
            auto const found = any_outcome(random);
            if (random() % 4 == 0) report.withdraw(index);
            else report.publish(index, found.status(), found.json(), four::moment(static_cast<int>(random() % 1000000000)));
            live.update(report, index);
            shared.update(report, index);
            auto const text = written(report);
            REQUIRE(live.text() == text);
            REQUIRE(live.all_ok() == report.all_ok());
            auto const latest = shared.latest();
            REQUIRE(latest->body() == text);
            REQUIRE(latest->all_ok == report.all_ok());
            REQUIRE(latest->header().ends_with("\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n"));
            if (random() % 3 == 0) held.emplace_back(latest, text);
        }
        for (auto const& [answer, text] : held) REQUIRE(answer->body() == text);
    }
}

TEST_CASE("a live document knows when all sources are OK") {
    healthz::report<four::sources> report;
    healthz::live_document live;
    for (std::size_t i = 0; i < report.size(); ++i) {
        CHECK_FALSE(live.all_ok());
        report.publish(i, healthz::status::ok, "null", four::moment(0));
        live.update(report, i);
    }
    CHECK(live.all_ok());
    report.publish(2, healthz::status::timeout, "null", four::moment(0));
    live.update(report, 2);
    CHECK_FALSE(live.all_ok());
}

TEST_CASE("a live document that was told of another report writes all of it") {
    healthz::live_document live;
    live.update(four::report());
    CHECK(live.text() == four::document);
    live.update(healthz::report<four::sources>());
    CHECK(live.text() == "{}");
    live.update(four::report(), 3);
    CHECK(live.text() == four::document);
}

TEST_CASE("an answer that somebody holds does not change, whatever another thread publishes") {
    healthz::shared_document shared;
    auto report = four::report();
    shared.update(report);
    std::atomic<bool> done = false;
    int torn = 0;
    std::thread reader([&] {
        while (!done) {
            auto const held = shared.latest();
            std::string const before = held->bytes;
            std::this_thread::yield();
            torn += held->bytes != before || !held->header().ends_with(": " + std::to_string(held->body().size()) + "\r\n\r\n");
        }
    });
    std::mt19937 random(2);
    for (int i = 0; i < 20000; ++i) {
        auto const index = random() % report.size();
        auto const found = any_outcome(random);
        report.publish(index, found.status(), found.json(), four::moment(i));
        shared.update(report, index);
    }
    done = true;
    reader.join();
    CHECK(torn == 0);
    CHECK(shared.latest()->body() == written(report));
}
