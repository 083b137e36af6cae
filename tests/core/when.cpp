// SPDX-License-Identifier: BSL-1.0
// Sources that are not there everywhere: off, they are in no document and count for nothing.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <string>

using healthz::depends_on;
using healthz::health_check;
using healthz::monitor;
using healthz::status;
using healthz::tick;
using healthz::when;
using namespace std::chrono_literals;

namespace {

constexpr health_check once{.interval = 100ms, .timeout = 20ms, .retries = 0};
constexpr auto fine = [] { return healthz::ok(); };
constexpr auto ill = [] { return healthz::error("cut"); };
constexpr auto never = [] { return false; };
constexpr auto always = [] { return true; };

// ---- proven by the compiler

constexpr auto fixed =
    healthz::sources(healthz::source<"board">(when(always, fine), once), healthz::source<"modem">(when(never, ill), once),
                     healthz::source<"uplink">(depends_on<"modem">(fine), once));
static_assert(healthz::detail::has_conditions<fixed>);
constexpr bool what_is_off_counts_for_nothing() {
    monitor<fixed, healthz::recorded> m;
    if (m.report().is_off(1) || m.report().pending() != 3 || m.report().all_ok()) return false;
    for (tick now = 0; now < 500; ++now) m.poll(now);
    auto const& report = m.report();
    char text[healthz::max_json_size<fixed>];
    return report.is_off(1) && !report[1] && !report.get<"modem">() && !report.status_of(1) && !report.is(1, status::ok) &&
           report.count(status::ok) == 2 && report.pending() == 0 && report.all_ok() && report.worst() == status::ok &&
           report.is(2, status::ok) &&  // its parent is off: as if that were OK
           m.record(1).count() == 0 && !m.record(1).checked && healthz::write_json(report, text).find("modem") == std::string_view::npos;
}
static_assert(what_is_off_counts_for_nothing());

// Either way around with `depends_on`, and around `any_of`.
constexpr auto around =
    healthz::sources(healthz::source<"gateway">(ill, once), healthz::source<"a">(when(never, depends_on<"gateway">(fine)), once),
                     healthz::source<"b">(depends_on<"gateway">(when(never, fine)), once),
                     healthz::source<"c">(depends_on<"gateway">(when(always, fine)), once),
                     healthz::source<"d">(when(always, depends_on<"gateway">(healthz::any_of(ill, fine))), once));
constexpr bool a_condition_goes_anywhere() {
    monitor<around> m;
    for (tick now = 0; now < 500; ++now) m.poll(now);
    auto const& report = m.report();
    return report.is_off(1) && report.is_off(2) && report[3]->error == R"({"message":"depends on gateway, which is down"})" &&
           report[4]->error == report[3]->error;
}
static_assert(a_condition_goes_anywhere());

// A condition that can fail to tell.
struct doubt {
    struct answer {
        bool is_there;
        std::string_view problem;
    };
    constexpr answer operator()() const { return {true, "the jumper is loose"}; }
};
constexpr auto doubtful = healthz::sources(healthz::source<"modem">(when(doubt{}, fine), {.interval = 100ms, .timeout = 20ms}));
constexpr bool doubt_is_a_failure_at_once() {
    monitor<doubtful> m;
    m.poll(0);
    return m.report()[0]->status == status::failed && m.report()[0]->error == "\"the jumper is loose\"";
}
static_assert(doubt_is_a_failure_at_once());

static_assert(healthz::detail::has_conditions<doubtful>);
constexpr auto plain = healthz::sources(healthz::source<"modem">(fine, once));
static_assert(!healthz::detail::has_conditions<plain>);

// ---- at run time

bool is_fitted = true;
int asked = 0;
bool is_modem_ok = true;

struct modem {
    healthz::outcome probe() const { return is_modem_ok ? healthz::ok() : healthz::error("no carrier"); }
};
constexpr auto sources = healthz::sources(
    healthz::source<"supply">(fine, once),
    healthz::source<"modem">(when([] { return ++asked, is_fitted; }, modem{}),
                             {.interval = 100ms, .timeout = 20ms, .retries = 3, .retry_interval = 5ms, .rise = 3, .fall = 3}));

struct device {
    monitor<sources, healthz::recorded, healthz::switchable, healthz::past<1>> m;
    tick now = 0;

    device() { is_fitted = true, asked = 0, is_modem_ok = true; }
    std::string after(tick duration) {
        for (tick const end = now + duration; now < end; ++now) m.poll(now);
        char text[healthz::max_json_size<sources>];
        return std::string(healthz::write_json(m.report(), text));
    }
    healthz::detail::view_source source(std::array<std::int64_t, 2> const& checked) const {
        static std::array<healthz::record, 2> records;
        records = {m.record(0), m.record(1)};
        return {m.report(), records, healthz::detail::facts_of<sources>, checked, now};
    }
    template <class View>
    std::string shown(View const& view, healthz::view_request const& request = {}) const {
        std::array<std::int64_t, 2> const checked{now, now};
        healthz::detail::data_of<sources, healthz::view_data> const data(source(checked));
        std::string text;
        if constexpr (requires { view.status(data, request); }) text = std::to_string(view.status(data, request)) + " ";
        view.write(data, request, [&text](std::string_view piece) { text += piece; });
        return text;
    }
};

}  // namespace

TEST_CASE("what the compiler proves of conditions also holds at run time") {
    CHECK(at_run_time(what_is_off_counts_for_nothing));
    CHECK(at_run_time(a_condition_goes_anywhere));
    CHECK(at_run_time(doubt_is_a_failure_at_once));
}

TEST_CASE("a source is switched off and on again, and begins anew") {
    device d;
    CHECK(judge::is_json(d.after(500)));
    CHECK(d.m.report().is(1, status::ok));
    auto const asked_before = asked;
    CHECK(asked_before <= 6);  // once a check
    is_modem_ok = false;
    d.after(150);
    CHECK(d.m.report().is(1, status::ok));  // its fall is 3
    is_fitted = false;
    auto text = d.after(150);
    CHECK(d.m.report().is_off(1));
    CHECK(d.m.report().all_ok());
    CHECK(text.find("modem") == text.npos);
    CHECK(judge::is_json(text));
    CHECK(d.m.record(1).changes == 0);
    is_fitted = true;
    text = d.after(150);  // its first verdict is what the first check finds, whatever its fall
    CHECK(d.m.report().is(1, status::error));
    CHECK(text.find("no carrier") != text.npos);
    CHECK(d.m.past(1, 1)->status == status::ok);  // the last one before it was off
    CHECK(!d.m.report().all_ok());
}

TEST_CASE("what is off stays so in maintenance and whatever is reported") {
    device d;
    is_fitted = false;
    d.after(200);
    d.m.report<"modem">(healthz::error("said so"), d.now);
    CHECK(d.m.report().is_off(1));
    d.m.maintenance<"modem">(true);
    d.after(300);
    CHECK(d.m.report().is_off(1));
    is_fitted = true;
    d.after(200);
    CHECK(d.m.report()[1]->error == "\"in maintenance\"");
    d.m.maintenance<"modem">(false);
    d.after(200);
    CHECK(d.m.report().is(1, status::ok));
}

TEST_CASE("a watchdog that requires what is off is fed, as long as that is asked") {
    device d;
    healthz::watchdog<sources, 2s, "supply", "modem"> watchdog;
    int fed = 0;
    is_fitted = false;
    for (int i = 0; i < 1000; ++i) {
        d.after(1);
        fed += watchdog.may_feed(d.m);
    }
    CHECK(fed >= 9);
}

TEST_CASE("views show what is off as off, and let it count for nothing") {
    device d;
    is_modem_ok = false;
    d.after(500);
    CHECK(d.shown(healthz::ready<>{}).starts_with("503 "));
    auto const metrics_before = d.shown(healthz::metrics{});
    CHECK(metrics_before.find("healthz_source_off{source_name=\"modem\"} 0\n") != metrics_before.npos);
    is_fitted = false;
    d.after(200);
    CHECK(d.shown(healthz::ready<>{}) == "200 ok");
    CHECK(d.shown(healthz::ready<"modem">{}) == "200 ok");
    CHECK(d.shown(healthz::live<"modem">{}) == "200 ok");
    CHECK(d.shown(healthz::startup{}) == "200 ok");
    CHECK(d.shown(healthz::document{}, {.rest = "modem"}) == "404 ");
    CHECK(d.shown(healthz::document{}, {.query = "strict=true"}).starts_with("200 {\"supply\":{"));
    CHECK(d.shown(healthz::document{}, {.query = "verbose=true"}).find("modem") == std::string::npos);
    auto const table = d.shown(healthz::page{});
    CHECK(table.starts_with("The source is OK\n"));
    CHECK(table.find("\noff             modem\n") != table.npos);
    auto const html = d.shown(healthz::page{}, {.type = 1});
    CHECK(html.find("<h2>modem</h2><p class=s><svg viewBox=\"0 0 16 16\" aria-hidden=true><path d=\"M8 1a7") != html.npos);
    CHECK(html.find("</svg>off</p>") != html.npos);
    CHECK(html.find("no carrier") == html.npos);
    auto const metrics = d.shown(healthz::metrics{});
    CHECK(metrics.find("healthz_source_off{source_name=\"modem\"} 1\n") != metrics.npos);
    CHECK(metrics.find("healthz_source_off{source_name=\"supply\"}") == metrics.npos);
    for (auto const* family : {"hasura_source_health", "healthz_source_up", "healthz_last_check_timestamp_seconds"})
        CHECK(metrics.find(std::string(family) + "{source_name=\"modem\"}") == metrics.npos);
    CHECK(metrics.find("healthz_source_info{source_name=\"modem\",prober=\"other\"} 1\n") != metrics.npos);
}

TEST_CASE("where no source has a condition, nothing speaks of that") {
    std::array<healthz::record, 1> const records{};
    std::array<std::int64_t, 1> const checked{};
    healthz::report<plain> const report;
    std::string text;
    healthz::view_data const data(healthz::detail::view_source{report, records, healthz::detail::facts_of<plain>, checked});
    healthz::write_metrics(data, [&text](std::string_view piece) { text += piece; });
    CHECK(text.find("healthz_source_off") == text.npos);
    CHECK(healthz::metric_series<doubtful> == healthz::metric_series<plain> + 1);
}

TEST_CASE("where all is off, the page says so and the document is empty") {
    static constexpr auto none = healthz::sources(healthz::source<"modem">(when(never, fine), once));
    monitor<none> m;
    m.poll(tick{0});
    char text[healthz::max_json_size<none>];
    CHECK(healthz::write_json(m.report(), text) == "{}");
    CHECK(m.report().all_ok());
    std::array<healthz::record, 1> const records{};
    std::array<std::int64_t, 1> const checked{};
    std::string page;
    healthz::view_data const data(healthz::detail::view_source{m.report(), records, healthz::detail::facts_of<none>, checked});
    healthz::page{}.write(data, {}, [&page](std::string_view piece) { page += piece; });
    CHECK(page.starts_with("All sources are off\n"));
}
