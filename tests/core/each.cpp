// SPDX-License-Identifier: BSL-1.0
// Families: one line of a declaration, many sources.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/artefacts/artefact.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <string>

using healthz::each;
using healthz::numbers;
using healthz::status;
using namespace std::chrono_literals;

namespace {

std::array<bool, 16> up{};  // by the number

struct shard {
    int number;
    static constexpr char const* kind = "shard";
    healthz::outcome probe() const { return up[static_cast<std::size_t>(number)] ? healthz::ok() : healthz::error("down"); }
};
// Keeps something from check to check.
struct counter {
    int number;
    struct session {
        int number, calls = 0;
        constexpr explicit session(counter const& from) : number(from.number) {}
        healthz::outcome probe() { return ++calls > number ? healthz::ok() : healthz::error("too early"); }
    };
};
// Takes its time.
struct slow {
    int number;
    int left = 0;
    constexpr void start() { left = number; }
    constexpr std::optional<healthz::outcome> poll() { return left-- > 0 ? std::nullopt : std::optional<healthz::outcome>(healthz::ok()); }
    constexpr void cancel() {}
};
bool has_even = true;

constexpr healthz::health_check often{.interval = 1s, .timeout = 500ms, .retries = 0};
constexpr auto sources = healthz::sources(
    healthz::source<"gateway">([] { return up[15] ? healthz::ok() : healthz::error("closed"); }, often),
    each<"shard #", 12>([](int n) { return shard{n}; }, often), each<"#. \"part\"", numbers{1, 2}, numbers{9, 11}>(counter{1}, often),
    each<"slow #", 3>([](int n) { return slow{n}; }, {.interval = 2s, .timeout = 1s, .retries = 0, .fall = 2}),
    each<"behind #", 2>(healthz::depends_on<"gateway">(healthz::immediate_archetype{}), often),
    each<"board #", 3>([](int n) { return healthz::when([] { return has_even; }, healthz::depends_on<"shard 3">(shard{n})); }, often),
    each<"slot #", 2>(healthz::bound<>{}, often), healthz::source<"last">(healthz::immediate_archetype{}, often));
constexpr std::size_t count = 1 + 12 + 5 + 3 + 2 + 3 + 2 + 1;

static_assert(healthz::size_of<sources> == count);
static_assert(healthz::index_of<sources, "gateway">() == 0 && healthz::index_of<sources, "shard 0">() == 1);
static_assert(healthz::index_of<sources, "shard 11">() == 12 && healthz::index_of<sources, "1. \"part\"">() == 13);
static_assert(healthz::index_of<sources, "11. \"part\"">() == 17 && healthz::index_of<sources, "last">() == count - 1);
static_assert(healthz::worst_case_detection<sources, "shard 7">() > 1s && healthz::worst_case_detection<sources>() > 2s);

// All is as if each were declared on its own.
constexpr auto family = healthz::sources(each<"s#", 3>(healthz::immediate_archetype{}, often));
constexpr auto alone = healthz::sources(healthz::source<"s0">(healthz::immediate_archetype{}, often),
                                        healthz::source<"s1">(healthz::immediate_archetype{}, often),
                                        healthz::source<"s2">(healthz::immediate_archetype{}, often));
static_assert(healthz::max_json_size<family> == healthz::max_json_size<alone>);
static_assert(healthz::ram_size<family> == healthz::ram_size<alone>);
static_assert(healthz::max_starts_per_tick<family> == healthz::max_starts_per_tick<alone>);
static_assert(healthz::worst_case_detection<family>() == healthz::worst_case_detection<alone>());
static_assert(healthz::timetable<family>[2].first == healthz::timetable<alone>[2].first);

constexpr auto single = healthz::sources(each<"only #", numbers{7, 7}>(shard{7}, often));
static_assert(healthz::index_of<single, "only 7">() == 0 && healthz::size_of<single> == 1);

constexpr auto many = healthz::sources(each<"member #", 1000>([](int n) { return shard{n % 2}; }, often),
                                       each<"\x01#", 24>(healthz::depends_on<"member 999">(shard{0}), often));
static_assert(healthz::index_of<many, "member 999">() == 999 && healthz::index_of<many,
                                                                                  "\x01"
                                                                                  "23">() == 1023);

template <class View, auto const& Sources>
std::string shown(View const& view, healthz::report<Sources> const& report, healthz::view_request const& request = {}) {
    static std::array<healthz::record, healthz::size_of<Sources>> const records{};
    healthz::detail::data_of<Sources, healthz::view_data> const data(
        {report.view(), records, healthz::detail::facts_of<Sources>, {}, 0, false});
    std::string text = std::to_string(view.status(data, request)) + " ";
    auto const begin = text.size();
    view.write(data, request, [&text](std::string_view piece) { text += piece; });
    std::size_t const most = View::template max_size<Sources>;
    CHECK(text.size() - begin <= most);
    return text;
}

}  // namespace

TEST_CASE("each: a monitor checks all of a family, in the order of their numbers") {
    up.fill(true);
    up[4] = false;
    has_even = true;
    healthz::monitor<sources, healthz::switchable, healthz::recorded> monitor;
    monitor.bind<"slot 1">(
        +[](void*) { return healthz::ok(); }, nullptr);
    healthz::tick now = 0;
    auto const pass = [&](healthz::tick time) {
        for (auto const end = now + time; now < end; ++now) monitor.poll(now);
    };
    pass(4000);
    auto const& report = monitor.report();
    CHECK(report.pending() == 0);
    for (std::size_t i = 1; i <= 12; ++i) CHECK(report.is(i, i == 5 ? status::error : status::ok));
    CHECK(report.get<"shard 4">()->name == "shard 4");
    for (std::size_t i = 13; i < 18; ++i) CHECK(report.is(i, status::ok));  // each has counted for itself
    CHECK(report.get<"slot 0">()->error == "\"not bound\"");
    CHECK(report.get<"slot 1">()->status == status::ok);
    CHECK(monitor.record(4).attempts_made >= 3);

    std::string document(healthz::max_json_size<sources>, ' ');
    auto const text = healthz::write_json(report.view(), std::span<char>(document));
    CHECK(judge::is_json(text));
    auto const first = text.find("\"1. \\\"part\\\"\":"), second = text.find("\"11. \\\"part\\\"\":");
    CHECK((first != text.npos && second != text.npos && first < second && text.find("\"shard 11\"") < first));

    up[15] = up[3] = false;
    pass(4000);
    CHECK(report.get<"behind 1">()->error == R"({"message":"depends on gateway, which is down"})");
    CHECK(report.get<"board 2">()->error == R"({"message":"depends on shard 3, which is down"})");
    has_even = false;
    monitor.maintenance<"shard 11">(true);
    monitor.maintenance<"slow 2">(true);
    pass(4000);
    CHECK(report.is_off(healthz::index_of<sources, "board 0">()));
    CHECK(report.is_off(healthz::index_of<sources, "board 2">()));
    CHECK(report.get<"shard 11">()->error == "\"in maintenance\"");
    CHECK(report.get<"slow 2">()->error == "\"in maintenance\"");
    CHECK(report.get<"shard 10">()->status == status::ok);
    monitor.unbind<"slot 1">();
    monitor.report<"shard 1">(healthz::error("seen"), now);
    CHECK(report.get<"shard 1">()->error == R"({"message":"seen"})");
    pass(2000);
    CHECK(report.get<"slot 1">()->status == status::failed);
}

TEST_CASE("each: a watchdog requires members by their names") {
    up.fill(true);
    healthz::monitor<sources> monitor;
    healthz::watchdog<sources, 20s, "shard 2", "slow 1"> watchdog;
    for (healthz::tick now = 0; now < 4000; ++now) monitor.poll(now);
    CHECK(watchdog.may_feed(monitor));
    up[2] = false;
    for (healthz::tick now = 4000; now < 8000; ++now) monitor.poll(now);
    CHECK(!watchdog.may_feed(monitor));
}

TEST_CASE("each: a thousand of them") {
    up.fill(true);
    up[1] = false;
    static constinit healthz::monitor<many> monitor;
    for (healthz::tick now = 0; now < 2100; ++now) monitor.poll(now);
    CHECK(monitor.report().count(status::ok) == 500);
    CHECK(monitor.report().count(status::error) == 524);
}

TEST_CASE("each: probes ask for any, all or so many of a family") {
    using healthz::all;
    using healthz::any;
    using healthz::at_least;
    using healthz::live;
    using healthz::ready;
    healthz::report<family> report;
    auto const set = [&](std::size_t index, bool is_ok) {
        report.publish(index, is_ok ? status::ok : status::error, is_ok ? "null" : "{}", {});
    };
    for (std::size_t i = 0; i < 3; ++i) set(i, i == 1);
    CHECK(shown(ready<any<"s#">>(), report) == "200 ok");
    CHECK(shown(live<any<"s#">>(), report) == "200 ok");
    CHECK(shown(ready<all<"s#">>(), report).substr(0, 3) == "503");
    CHECK(shown(ready<at_least<2, "s#">>(), report) ==
          "503 [-]s0 failed: reason withheld\n[+]s1 ok\n[-]s2 failed: reason withheld\n[-]at least 2 of s#\nreadyz check failed\n");
    CHECK(shown(ready<at_least<1, "s0", "s2">>(), report).substr(0, 3) == "503");
    CHECK(shown(ready<"s1", any<"s0", "s1">>(), report, {.query = "verbose"}) ==
          "200 [+]s1 ok\n[-]s0 failed: reason withheld\n[+]s1 ok\n[+]at least 1 of s0, s1\nreadyz check passed\n");
    CHECK(shown(ready<any<"s#">, "s0">(), report).substr(0, 3) == "503");
    CHECK(shown(ready<at_least<2, "s#">>(), report, {.query = "exclude=s2"}) == "200 ok");
    set(2, true);
    CHECK(shown(ready<at_least<2, "s#">>(), report) == "200 ok");
    CHECK(shown(ready<all<"s1", "s2">>(), report) == "200 ok");
    CHECK(shown(live<all<"s#">>(), report).substr(0, 3) == "503");
    // One that is off counts for nothing.
    set(1, false);
    set(2, false);
    report.withdraw(0);
    CHECK(shown(ready<any<"s#">>(), report) ==
          "503 [+]s0 off: ok\n[-]s1 failed: reason withheld\n[-]s2 failed: reason withheld\n[-]at least 1 of s#\nreadyz check failed\n");
    CHECK(shown(live<at_least<2, "s#">>(), report).substr(0, 3) == "503");
    set(1, true);
    CHECK(shown(ready<any<"s#">>(), report) == "200 ok");
    CHECK(shown(ready<at_least<2, "s#">>(), report).substr(0, 3) == "503");
    report.withdraw(2);
    CHECK(shown(ready<at_least<2, "s#">>(), report) == "200 ok");  // all that are there
    report.withdraw(1);
    CHECK(shown(ready<any<"s#">>(), report) == "200 ok");
    CHECK(shown(ready<"s0">(), report, {.query = "verbose"}) == "200 [+]s0 off: ok\nreadyz check passed\n");
}

TEST_CASE("each: a source that has the name of a family is meant where a name stands alone") {
    static constexpr auto both = healthz::sources(healthz::source<"s#">(healthz::immediate_archetype{}, often),
                                                  each<"s#", 3>(healthz::immediate_archetype{}, often));
    healthz::report<both> report;
    report.publish(0, status::ok, "null", {});
    CHECK(shown(healthz::ready<"s#">(), report) == "200 ok");
}

TEST_CASE("each: pages, metrics and artefacts see the members") {
    static constexpr auto views = healthz::views(healthz::metrics{}, healthz::ready<healthz::any<"shard #">>{});
    std::string text;
    auto const put = [&text](std::string_view piece) { text += piece; };
    healthz::report<sources> report;
    static std::array<healthz::record, count> const records{};
    healthz::view_data const data({report.view(), records, healthz::detail::facts_of<sources>, {}, 0, false});
    healthz::write_metrics(data, put);
    CHECK(text.find("source_name=\"shard 11\"") != text.npos);
    CHECK(data.kind(12) == "shard");
    CHECK(data.has_condition(healthz::index_of<sources, "board 1">()));
    CHECK(!data.has_condition(healthz::index_of<sources, "shard 1">()));
    text.clear();
    CHECK(healthz::write_artefact<sources, views>("table", {}, put));
    CHECK(text.find("shard 11") != text.npos);
}
