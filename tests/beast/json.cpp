// SPDX-License-Identifier: BSL-1.0
// Boost.JSON on both ends of a report.
#include "support.hpp"

#include <healthz/json/value.hpp>

#include <limits>
#include <random>

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

json::value parsed(std::string_view text) { return json::parse(json::string_view(text.data(), text.size())); }

bool parses(std::string_view text) {
    boost::system::error_code ec;
    json::parse(json::string_view(text.data(), text.size()), ec);
    return !ec && healthz::detail::is_utf8(text);
}

constexpr auto probe = [] { return healthz::ok(); };
constexpr auto strange = healthz::sources(
    healthz::source<"z \"quoted\"">(probe, {.interval = 1s}), healthz::source<"\x01\n\t\x1f\\/">(probe, {.interval = 1s}),
    healthz::source<"a\u00e4\u20ac\U0001F600">(probe, {.interval = 1s}), healthz::source<"error">(probe, {.interval = 1s}));

std::string written(healthz::report_view report) {
    std::string text(healthz::json_size(report), ' ');
    return std::string(healthz::write_json(report, text));
}

}  // namespace

TEST_CASE("a report as a value is the written document, parsed") {
    auto const report = four::report();
    auto const value = healthz::to_value(report);
    CHECK(value == parsed(four::document));
    CHECK(json::serialize(value) == four::document);  // the order too
}

TEST_CASE("sources without a verdict are absent from the value") {
    healthz::report<four::sources> report;
    CHECK(json::serialize(healthz::to_value(report)) == "{}");
    report.publish(2, healthz::status::ok, "null", four::moment(1));
    auto const value = healthz::to_value(report);
    CHECK(value == parsed(written(report)));
    CHECK(value.as_object().size() == 1);
}

TEST_CASE("names of any UTF-8 come out unescaped and in order") {
    healthz::report<strange> report;
    for (std::size_t i = 0; i < report.size(); ++i) report.publish(i, healthz::status::ok, "null", four::moment(0));
    auto const value = healthz::to_value(report);
    CHECK(value == parsed(written(report)));
    std::size_t i = 0;
    for (auto const& [key, health] : value.as_object()) {
        CHECK(std::string_view(key.data(), key.size()) == report[i++]->name);
        auto const& members = health.as_object();
        REQUIRE(members.size() == 3);
        CHECK(members.begin()->key() == "error");
        CHECK((members.begin() + 1)->key() == "status");
        CHECK((members.begin() + 2)->key() == "timestamp");
    }
    CHECK(i == 4);
}

TEST_CASE("any value goes into the extra of an error") {
    for (json::value const& extra : {json::value{{"celsius", 31}, {"limits", {10, 20.5, nullptr, true}}}, json::value(nullptr),
                                     json::value(42), json::value("text"), json::value(json::array{}), json::value(json::object{})}) {
        auto const outcome = healthz::error("too warm", extra);
        CHECK(outcome.status() == healthz::status::error);
        CHECK(parsed(outcome.json()) == json::value{{"message", "too warm"}, {"extra", extra}});
    }
}

TEST_CASE("an extra that went in comes out of the report") {
    json::value const extra{{"code", "08006"}, {"hosts", {"a", "b"}}};
    auto const outcome = healthz::error<128>("connection error", extra);
    healthz::report<four::sources> report;
    report.publish(0, outcome.status(), outcome.json(), four::moment(0));
    CHECK(healthz::to_value(report).at("postgres").at("error").at("extra") == extra);
}

TEST_CASE("an extra that is too large becomes a string that is cut") {
    json::value const extra{{"text", std::string(2000, 'x')}};
    auto const outcome = healthz::error("too much", extra);
    CHECK(outcome.json().size() <= 1024);
    auto const error = parsed(outcome.json()).as_object();
    CHECK(error.at("message") == "too much");
    REQUIRE(error.at("extra").is_string());
    auto const& cut = error.at("extra").as_string();
    CHECK(cut.size() > 900);
    CHECK(json::serialize(extra).substr(0, cut.size()) == std::string_view(cut.data(), cut.size()));
}

TEST_CASE("a number that JSON has no word for still makes a valid document") {
    using limits = std::numeric_limits<double>;
    for (double number : {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), limits::max(), limits::denorm_min()})
        CHECK(parses(healthz::error("odd", json::value{{"value", number}}).json()));
}

TEST_CASE("strings that are not UTF-8 are mended") {
    for (char const* bytes : {"\xff", "a\xc3", "\xed\xa0\x80", "\xf0\x9f\x98", "\xc0\xaf", "ok \x80 ok"}) {
        auto const outcome = healthz::error("odd bytes", json::value{{"said", bytes}});
        CAPTURE(outcome.json());
        CHECK(parses(outcome.json()));
        CHECK(outcome.json().find("\xEF\xBF\xBD") != std::string_view::npos);
    }
}

TEST_CASE("an extra of any depth that goes in comes out") {
    for (std::size_t depth = 28; depth < 48; ++depth) {
        auto const text = std::string(depth, '[') + std::string(depth, ']');
        healthz::report<strange> report;
        report.publish(0, healthz::status::error, healthz::error<128>("deep", healthz::json_text{text}).json(), {});
        CHECK(json::serialize(healthz::to_value(report)).find(text) != std::string::npos);
    }
}

TEST_CASE("what is nested too deeply to be parsed becomes a string") {
    json::value extra = nullptr;
    for (int i = 0; i < 100; ++i) extra = json::array{std::move(extra)};
    auto const outcome = healthz::error("deep", extra);
    CHECK(parsed(outcome.json()).at("extra") == json::value(json::serialize(extra)));
}

namespace {

json::value random_value(std::mt19937& random, int depth) {
    auto const below = [&random](unsigned n) { return static_cast<unsigned>(random() % n); };
    auto const text = [&] {
        static constexpr std::string_view pieces[] = {"a",    "\"", "\\", "\n", "\x01", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                                      "\xFF", " "};
        std::string s;
        for (auto n = below(20); n > 0; --n) s += pieces[below(60) == 0 ? 8 : below(8)];
        return s;
    };
    switch (depth == 0 ? below(4) : below(6)) {
        case 0: return nullptr;
        case 1: return static_cast<std::int64_t>(random()) - 1'000'000'000;
        case 2: return static_cast<double>(random()) / 7;
        case 3: return json::string(text());
        case 4: {
            json::array a;
            for (auto n = below(5); n > 0; --n) a.push_back(random_value(random, depth - 1));
            return a;
        }
        default: {
            json::object o;
            for (auto n = below(5); n > 0; --n) o.emplace(text(), random_value(random, depth - 1));
            return o;
        }
    }
}

template <std::size_t Capacity>
void check_random(std::mt19937& random) {
    auto const extra = random_value(random, 4);
    auto const outcome = healthz::error<Capacity>("message \"of\" some length", extra);
    CAPTURE(Capacity, outcome.json());
    REQUIRE(outcome.json().size() <= Capacity);
    REQUIRE(parses(outcome.json()));
}

}  // namespace

TEST_CASE("whatever the value and the room, the error is valid JSON and UTF-8") {
    std::mt19937 random(20220809);
    for (int i = 0; i < 500; ++i) {
        check_random<32>(random);
        check_random<48>(random);
        check_random<64>(random);
        check_random<100>(random);
        check_random<256>(random);
        check_random<1024>(random);
    }
}
