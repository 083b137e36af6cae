// SPDX-License-Identifier: BSL-1.0
// All that a user writes lies in a namespace whose functions have the names of ours. That this compiles is the test.
#include "../hostile_names.hpp"
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/request_parser.hpp>

#include <ratio>

namespace hostile {

using namespace std::chrono_literals;

struct immediate {
    constexpr healthz::outcome probe(healthz::attempt) const { return healthz::error("no route"); }
};
struct callable {
    constexpr healthz::outcome operator()() const { return healthz::ok(); }
};
struct counting {  // keeps something, so it is copied into the monitor
    int count = 0;
    constexpr auto operator()(healthz::attempt) { return healthz::failed<64>(++count > 1 ? "again" : "first"); }
};
struct cooperative {
    struct session {
        constexpr explicit session(cooperative const&) {}
        constexpr void start() {}
        constexpr std::optional<healthz::outcome> poll() { return healthz::ok(); }
        constexpr void cancel() {}
    };
};
struct stuck {
    constexpr void start() {}
    constexpr std::optional<healthz::outcome> poll() { return std::nullopt; }
    constexpr void cancel() {}
};

struct fitted {
    struct answer {
        bool is_there;
        std::string_view problem;
    };
    constexpr answer operator()() const { return {false, {}}; }
};
struct object {
    constexpr auto probe() { return healthz::failed<64>("bound"); }
};

constexpr healthz::health_check each_second{.interval = 1s, .timeout = 100ms, .retries = 0};
inline constexpr auto declared = healthz::sources(
    healthz::source<"immediate">(immediate{}, {.interval = 1s, .timeout = 100ms, .retries = 0, .fall = 2}),
    healthz::source<"callable">(callable{}, each_second), healthz::source<"counting">(counting{}, each_second),
    healthz::source<"cooperative">(healthz::on_bus<"wire">(cooperative{}), each_second),
    healthz::source<"stuck">(healthz::on_bus<"wire">(stuck{}), each_second),
    healthz::source<"inverted">(healthz::inverted(immediate{}), each_second),
    healthz::source<"all">(healthz::all_of(callable{}, cooperative{}), each_second),
    healthz::source<"any">(healthz::any_of(counting{}, callable{}), each_second),
    healthz::source<"mixed">(healthz::any_of(immediate{}, healthz::all_of(callable{}, callable{})), each_second),
    healthz::source<"dependent">(healthz::depends_on<"immediate">(stuck{}), each_second),
    healthz::source<"off">(healthz::when(fitted{}, callable{}), each_second), healthz::source<"slot">(healthz::bound<64>{}, each_second),
    healthz::source<"\"quoted\"">(healthz::depends_on<"callable">(healthz::all_of(cooperative{})), each_second));

struct clock {
    using rep = std::int64_t;
    using period = std::milli;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;
    constexpr time_point operator()() const { return time_point(20s); }
};

struct policy {
    constexpr bool needs_secret() const { return true; }
    constexpr bool accepts(std::string_view secret) const { return secret == "s3cret"; }
};

struct sink {
    std::size_t& size;
    constexpr void operator()(std::string_view piece) const { size += piece.size(); }
};

constexpr bool a_monitor_finds_what_the_probers_say() {
    healthz::monitor<declared, healthz::past<2>, healthz::switchable> monitor;
    for (healthz::tick now = 0; now < 10000; now += 50) monitor.poll(now);
    monitor.poll(10s);
    monitor.poll(clock::time_point(11s), healthz::utc_time(1s));
    monitor.poll(clock{});
    monitor.poll(clock{}, healthz::utc_time(2s));
    auto const& report = monitor.report();
    bool const found = report.get<"immediate">()->error == R"({"message":"no route"})" && report.get<"counting">()->error == "\"again\"" &&
                       report.get<"stuck">()->status == healthz::status::timeout && report.count(healthz::status::ok) == 7 &&
                       monitor.past(0, 1).has_value();
    monitor.maintenance<"callable">(true);
    monitor.report<"any">(healthz::timeout(), clock::time_point(21s));
    monitor.poll(21s, healthz::utc_time(3s));
    return found && report.get<"callable">()->status == healthz::status::failed && report.get<"any">()->status == healthz::status::timeout;
}
static_assert(a_monitor_finds_what_the_probers_say());

void bind(healthz::monitor<declared>& monitor, object& o) {
    monitor.bind<"slot">(o);
    monitor.unbind<"slot">();
}

constexpr bool a_watchdog_is_fed() {
    healthz::monitor<declared> monitor;
    healthz::watchdog<declared, 20s, "callable", healthz::even_over_network<"all">> dog;
    monitor.poll(0);
    monitor.poll(1000);
    return dog.may_feed(monitor);
}
static_assert(a_watchdog_is_fed());
static_assert(healthz::worst_case_detection<declared>() > 1s && healthz::max_starts_per_tick<declared> >= 1);
static_assert(healthz::ram_size<declared> > 0 && healthz::timetable<declared>.size() > 0);

constexpr bool the_policy_decides() {
    healthz::report<declared> const report;
    healthz::endpoint_request request{.method = "GET", .target = "/healthz/sources", .admin_secret = "guess"};
    auto const refused = healthz::respond(request, report, policy{});
    request.admin_secret = "s3cret";
    auto const answered = healthz::respond(request, report, policy{});
    std::size_t whole = 0, body = 0, document = 0;
    healthz::write_response(answered, report, sink{whole});
    healthz::write_body(answered, report, sink{body});
    healthz::write_json(report, sink{document});
    return refused.status == 401 && answered.status == 200 && body == document && whole == healthz::response_size(answered, report) &&
           healthz::decide(request, healthz::default_path, policy{}) == healthz::answer::document;
}
static_assert(the_policy_decides());

/// A view, a policy, a sink and a monitor of the user's meet in the site of a device.
struct own_view {
    std::string_view path = "/own";
    static constexpr healthz::access access = healthz::access::admin;
    static constexpr std::array types{std::string_view("text/plain")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 1;
    template <std::invocable<std::string_view> Sink>
    constexpr void write(healthz::view_data const&, healthz::view_request const&, Sink&& put) const {
        put("x");
    }
};
constexpr auto shown = healthz::views(own_view{});
constexpr policy who;

bool a_device_shows_its_views() {
    healthz::monitor<declared, healthz::recorded> monitor;
    healthz::request_parser<128> parser;
    parser.put("GET /own HTTP/1.1\r\nHost: a\r\nX-Hasura-Admin-Secret: s3cret\r\n\r\n");
    using site = healthz::direct_site<declared, shown, who>;
    auto const answered = site::answer_to(parser.request(), monitor);
    std::size_t whole = 0, body = 0, head = 0;
    site::write_response(answered, monitor, sink{whole});
    site::write_body(answered, monitor, sink{body});
    site::write_head(answered, body, sink{head});
    parser.next();
    parser.put("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    return answered.status == 200 && whole == head + body && site::answer_to(parser.request(), monitor).status == 401 &&
           site::refusal(healthz::answer::malformed).status == 400;
}

}  // namespace hostile

TEST_CASE("no function of the user's takes the place of one of ours") {
    CHECK(at_run_time(hostile::a_monitor_finds_what_the_probers_say));
    CHECK(at_run_time(hostile::a_watchdog_is_fed));
    CHECK(at_run_time(hostile::the_policy_decides));
    CHECK(at_run_time(hostile::a_device_shows_its_views));
}
