// SPDX-License-Identifier: BSL-1.0
// Views without a server: what they write, to the byte, and what they do not.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <algorithm>
#include <string>

using healthz::open_data;
using healthz::status;
using healthz::view_data;
using healthz::view_request;
using namespace std::chrono_literals;

namespace {

struct local_prober {
    static constexpr char const* kind = "local";
    constexpr healthz::outcome probe(healthz::attempt) const { return healthz::ok(); }
};
struct remote_prober : local_prober {
    static constexpr char const* kind = "far";
    static constexpr bool remote = true;
};

constexpr auto sources = healthz::sources(healthz::source<"queue">(local_prober{}, {.interval = 2s, .timeout = 1s, .retries = 0}),
                                          healthz::source<"a\"b\\é\n<i>">(remote_prober{}, {.interval = 10s, .timeout = 1s, .retries = 1}),
                                          healthz::source<"new">(local_prober{}, {.interval = 10s, .timeout = 1s, .retries = 0}));

healthz::timestamp at(int second) { return {1660037520 + second, 5000000}; }

/// A site without a clock and without a server.
struct state {
    healthz::report<sources> report;
    std::array<healthz::record, 3> records{};
    std::array<std::int64_t, 3> checked{1000, 1000, 1000};
    std::int64_t now = 1500;
    bool draining = false;

    void check(std::size_t index, healthz::outcome const& found, int second, std::uint32_t took = 1500) {
        auto const before = report.status_of(index);
        report.publish(index, found.status(), found.json(), at(second));
        records[index].take_in(
            {.before = before, .after = found.status(), .found = found.status(), .attempts = 1, .took = 0, .is_verdict = true}, at(second),
            took, false);
    }
    healthz::detail::view_source source() const {
        return {report.view(), records, healthz::detail::facts_of<sources>, checked, now, draining};
    }

    template <class View>
    std::string open(View const& view, view_request const& request = {}) const {
        return write(view, healthz::detail::data_of<sources, open_data>(source()), request);
    }
    template <class View>
    std::string admin(View const& view, view_request const& request = {}) const {
        return write(view, healthz::detail::data_of<sources, view_data>(source()), request);
    }

private:
    template <class View, class Data>
    static std::string write(View const& view, Data const& data, view_request const& request) {
        std::string text;
        if constexpr (requires { view.status(data, request); }) text = std::to_string(view.status(data, request)) + " ";
        auto const begin = text.size();
        view.write(data, request, [&text](std::string_view piece) { text += piece; });
        if (request.rest.empty()) {
            std::size_t const most = View::template max_size<sources>;
            CHECK(text.size() - begin <= most);
        }
        return text;
    }
};

state two_checked() {
    state s;
    s.check(0, healthz::ok(), 1);
    s.check(1, healthz::ok(), 2, 12345678);
    s.check(1, healthz::error("no <b>route</b>", "line 1\nline \"2\"\x01"), 12, 2000);
    return s;
}
state all_ok() {
    state s;
    for (std::size_t i = 0; i < 3; ++i) s.check(i, healthz::ok(), 1);
    return s;
}

}  // namespace

TEST_CASE("live is 503 where the loop stands still, and while a source is down that it names") {
    auto s = two_checked();
    CHECK(s.open(healthz::live<>{}) == "200 ok");
    CHECK(s.open(healthz::live<"queue">{}) == "200 ok");
    CHECK(s.open(healthz::live<"new">{}) == "200 ok");  // not yet checked is no reason to start again
    CHECK(s.open(healthz::live<>{}, {.query = "verbose"}) == "200 livez check passed\n");
    CHECK(s.admin(healthz::live<"queue">{}, {.query = "verbose"}) == "200 [+]queue ok\nlivez check passed\n");
    CHECK(s.open(healthz::hello{}) == "200 OK");

    s.check(0, healthz::timeout(), 3);
    CHECK(s.open(healthz::live<>{}) == "200 ok");
    CHECK(s.open(healthz::live<"queue">{}) == "503 livez check failed\n");
    CHECK(s.admin(healthz::live<"queue">{"/elsewhere"}) == "503 [-]queue failed: reason withheld\nelsewhere check failed\n");

    s.records[0].maintenance = true;
    CHECK(s.open(healthz::live<"queue">{}) == "200 ok");  // on purpose
    s.records[0].maintenance = false;

    // Two seconds, an attempt that began before, and its own: and half a second for the machine.
    constexpr auto worst = healthz::worst_case_detection<sources, "queue">().count();
    s.now = 1000 + worst + 500;
    CHECK(s.open(healthz::live<>{}) == "200 ok");
    CHECK(s.open(healthz::hello{}) == "200 OK");
    ++s.now;
    CHECK(s.open(healthz::live<>{}) == "503 livez check failed\n");
    CHECK(s.open(healthz::hello{}) == "503 ERROR");
}

TEST_CASE("ready is 503 until all is OK that it names, and in a drain") {
    auto s = two_checked();
    CHECK(s.open(healthz::ready<>{}) == "503 readyz check failed\n");
    CHECK(s.open(healthz::ready<"queue">{}) == "200 ok");
    CHECK(s.open(healthz::ready<"new">{}) == "503 readyz check failed\n");
    CHECK(s.admin(healthz::ready<>{}) ==
          "503 [+]queue ok\n[-]a\"b\\é\n<i> failed: reason withheld\n[-]new failed: reason withheld\nreadyz check failed\n");
    CHECK(s.admin(healthz::ready<"queue", "new">{}, {.query = "exclude=new&verbose"}) ==
          "200 [+]queue ok\n[+]new excluded: ok\nreadyz check passed\n");
    CHECK(s.admin(healthz::ready<>{}, {.query = "exclude=new&exclude=a%22b%5c%C3%A9%0a%3Ci%3E"}) == "200 ok");
    CHECK(s.admin(healthz::ready<"new">{}, {.query = "exclude=old"}) ==
          "503 [-]new failed: reason withheld\nwarn: some health checks cannot be excluded: no matches for them\nreadyz check failed\n");
    CHECK(s.open(healthz::ready<"new">{}, {.query = "exclude=new"}) == "503 readyz check failed\n");  // names are for who shows the secret

    s = all_ok();
    CHECK(s.open(healthz::ready<>{}) == "200 ok");
    s.draining = true;
    CHECK(s.open(healthz::ready<>{}) == "503 readyz check failed\n");
    CHECK(s.open(healthz::ready<"queue">{}) == "503 readyz check failed\n");
    s.draining = false;
    s.now = 100000;
    CHECK(s.open(healthz::ready<"queue">{}) == "503 readyz check failed\n");
}

TEST_CASE("startup is over once all was checked, whatever that found") {
    auto s = two_checked();
    CHECK(s.open(healthz::startup{}) == "503 startupz check failed\n");
    s.check(2, healthz::failed("no address"), 3);
    CHECK(s.open(healthz::startup{}) == "200 ok");
}

TEST_CASE("the document as a view, whole, of one source, and with all that is known") {
    auto const s = two_checked();
    std::string document;
    healthz::write_json(s.report.view(), [&document](std::string_view piece) { document += piece; });
    CHECK(s.admin(healthz::document{}) == "200 " + document);
    CHECK(s.admin(healthz::document{}, {.query = "strict=true"}) == "503 " + document);
    CHECK(s.admin(healthz::document{}, {.query = "strict=false&verbose=yes"}) == "200 " + document);
    CHECK(s.admin(healthz::document{}, {.rest = "queue"}) ==
          R"(200 {"error":null,"status":"OK","timestamp":"2022-08-09T09:32:01.005000000Z"})");
    CHECK(s.admin(healthz::document{}, {.rest = "queue", .query = "strict=true"}).substr(0, 4) == "200 ");
    CHECK(s.admin(healthz::document{}, {.rest = "a%22b%5C%c3%a9%0A%3ci%3E", .query = "strict=true"}).substr(0, 4) == "503 ");
    for (char const* const none : {"new", "queu", "queue2", "queue/", "%71ueu%6", "%"})
        CHECK(s.admin(healthz::document{}, {.rest = none}) == "404 ");
    CHECK(s.admin(healthz::document{}, {.rest = "%71ueu%65"}).substr(0, 4) == "200 ");

    CHECK(s.admin(healthz::document{}, {.rest = "queue", .query = "verbose=true"}) ==
          R"(200 {"error":null,"status":"OK","timestamp":"2022-08-09T09:32:01.005000000Z","since":"2022-08-09T09:32:01.005000000Z",)"
          R"("last_check":"2022-08-09T09:32:01.005000000Z","last_ok":"2022-08-09T09:32:01.005000000Z","duration":0.001500,"attempts":1,)"
          R"("checks":{"OK":1,"TIMEOUT":0,"FAILED":0,"ERROR":0},"changes":0,"maintenance":false,"stale":false})");
    auto const verbose = s.admin(healthz::document{}, {.query = "verbose=true"});
    CHECK(verbose.find(R"("a\"b\\é\n<i>":{"error":{"message":"no <b>route</b>")") != verbose.npos);
    CHECK(verbose.find(R"("duration":0.002000,"attempts":1,"checks":{"OK":1,"TIMEOUT":0,"FAILED":0,"ERROR":1},"changes":1)") !=
          verbose.npos);
    CHECK(verbose.ends_with("}}"));
    CHECK(state().admin(healthz::document{}, {.query = "verbose=true"}) == "200 {}");
}

TEST_CASE("metrics in both formats") {
    auto const s = two_checked();
    std::string const text = s.admin(healthz::metrics{}), open = s.admin(healthz::metrics{}, {.type = 1});
    for (
        char const* const line : {
            "# TYPE hasura_source_health gauge\n# HELP hasura_source_health Status of the source: 0 OK, 1 TIMEOUT, 2 FAILED, 3 ERROR.\n"
            "hasura_source_health{source_name=\"queue\"} 0\nhasura_source_health{source_name=\"a\\\"b\\\\é\\n<i>\"} 3\n#",
            "healthz_source_up{source_name=\"queue\"} 1\nhealthz_source_up{source_name=\"a\\\"b\\\\é\\n<i>\"} 0\n#",
            "healthz_source_status{source_name=\"queue\",status=\"OK\"} 1\nhealthz_source_status{source_name=\"queue\",status=\"TIMEOUT\"} 0\n",
            "healthz_source_status{source_name=\"new\",status=\"OK\"} 0\n",
            "# TYPE healthz_checks_total counter\n",
            "healthz_checks_total{source_name=\"queue\"} 1\nhealthz_checks_total{source_name=\"a\\\"b\\\\é\\n<i>\"} 2\nhealthz_checks_total{source_name=\"new\"} 0\n",
            "healthz_check_failures_total{source_name=\"a\\\"b\\\\é\\n<i>\",status=\"ERROR\"} 1\n",
            "healthz_last_check_timestamp_seconds{source_name=\"queue\"} 1660037521.005000\n",
            "healthz_last_check_duration_seconds{source_name=\"queue\"} 0.001500\n",
            "# TYPE healthz_check_duration_seconds summary\n",
            "healthz_check_duration_seconds_sum{source_name=\"a\\\"b\\\\é\\n<i>\"} 12.347678\nhealthz_check_duration_seconds_count{source_name=\"a\\\"b\\\\é\\n<i>\"} 2\n",
            "healthz_source_worst_case_detection_seconds{source_name=\"queue\"} 3.000000\n",
            "# TYPE healthz_source_info gauge\n",
            "healthz_source_info{source_name=\"a\\\"b\\\\é\\n<i>\",prober=\"far\"} 1\n",
            "healthz_build_info{version=\"0.1.0\"} 1\n",
        })
        CHECK(text.find(line) != text.npos);
    CHECK(text.find("EOF") == text.npos);
    std::string streamed;
    healthz::write_metrics(
        view_data(s.source()), [&streamed](std::string_view piece) { streamed += piece; }, healthz::metrics_format::open_metrics);
    CHECK(streamed == open);
    for (
        char const* const line : {
            "# TYPE healthz_checks counter\n# HELP healthz_checks How many checks of the source have ended.\nhealthz_checks_total{source_name=\"queue\"} 1\n",
            "# TYPE healthz_last_check_timestamp_seconds gauge\n# UNIT healthz_last_check_timestamp_seconds seconds\n# HELP ",
            "# TYPE healthz_source info\n# HELP healthz_source The kind of prober that checks the source.\nhealthz_source_info{source_name=\"queue\",prober=\"local\"} 1\n",
            "healthz_build_info{version=\"0.1.0\"} 1\n# EOF\n",
        })
        CHECK(open.find(line) != open.npos);
    CHECK(open.ends_with("# EOF\n"));

    // The samples are the same, and no more than told.
    auto const samples = [](std::string const& all) {
        std::string found;
        for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
            end = all.find('\n', at);
            if (all[at] != '#') found += all.substr(at, end + 1 - at);
        }
        return found;
    };
    CHECK(samples(text) == samples(open));
    auto full = all_ok();
    auto const lines = samples(full.admin(healthz::metrics{}));
    CHECK(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) == healthz::metric_series<sources>);
}

TEST_CASE("the largest metrics fit in what is told, and not by much") {
    state s;
    for (std::size_t i = 0; i < 3; ++i) {
        s.check(i, healthz::timeout(), 1);
        auto& r = s.records[i];
        r.was_ok = true;
        r.since = r.last_check = r.last_ok = {4294967295, 999999999};
        r.took = r.attempts_made = r.changes = r.measured = 4294967295u;
        r.checks = {4294967295u, 4294967295u, 4294967295u, 4294967295u};
        r.took_in_all = ~0ull;
    }
    auto const size = s.admin(healthz::metrics{}, {.type = 1}).size();
    CHECK(size <= healthz::max_metrics_size<sources>);
    CHECK(size * 2 > healthz::max_metrics_size<sources>);
}

TEST_CASE("the page tells the worst first, and what a driver says is text") {
    auto const s = two_checked();
    auto const html = s.admin(healthz::page{}, {.type = 1});
    CHECK(html.starts_with("<!doctype html><html lang=en>"));
    CHECK(html.find("<title>1 of 3 sources is not OK</title>") != html.npos);
    CHECK(html.find("<h1><span role=status>1 of 3 sources is not OK</span></h1>") != html.npos);
    CHECK(html.find("a&quot;b\\é\n&lt;i&gt;</h2>") != html.npos);
    CHECK(html.find("<p class=m>no &lt;b&gt;route&lt;/b&gt;</p>") != html.npos);
    CHECK(html.find("<pre>line 1\nline &quot;2&quot;\xEF\xBF\xBD</pre>") != html.npos);
    CHECK(html.find("<b>") == html.npos);
    CHECK(html.find("<dt>took<dd>2.0 ms</dl>") == html.npos);  // it was OK before
    CHECK(html.find("<dt>took<dd>2.0 ms<dt>last OK<dd>2022-08-09 09:32:02</dl>") != html.npos);
    CHECK(html.find("aria-label=\"last 2 checks: 1 OK 1 ERROR\"") != html.npos);
    CHECK(html.find("&lt;i&gt;</h2>") < html.find("not yet checked"));
    CHECK(html.find("not yet checked") < html.find("<h2>queue</h2>"));

    CHECK(s.admin(healthz::page{}) ==
          "1 of 3 sources is not OK\n\n"
          "STATUS          SOURCE        SINCE (UTC)          CHECKED (UTC)        TOOK     MESSAGE\n"
          "ERROR           a\\\"b\\\\é\\n<i>  2022-08-09 09:32:12  2022-08-09 09:32:12  2.0 ms   no <b>route</b>\n"
          "not yet checked new\n"
          "OK              queue         2022-08-09 09:32:01  2022-08-09 09:32:01  1.5 ms\n");
}

TEST_CASE("the first line of the page says what is to be said first") {
    auto const first_line = [](state const& s) {
        auto const text = s.admin(healthz::page{});
        return text.substr(0, text.find('\n'));
    };
    auto s = all_ok();
    CHECK(first_line(s) == "All 3 sources are OK");
    CHECK(first_line(state()) == "3 of 3 sources are not yet checked");
    s.records[0].maintenance = true;
    CHECK(first_line(s) == "1 of 3 sources is in maintenance");
    s.check(1, healthz::timeout(), 2);
    s.check(2, healthz::failed("no address"), 2);
    CHECK(first_line(s) == "2 of 3 sources are not OK");
    s.now = 100000;
    CHECK(first_line(s) == "2 of 3 sources are out of date");
    auto const html = s.admin(healthz::page{}, {.type = 1});
    CHECK(html.find("out of date, last TIMEOUT") != html.npos);
}

TEST_CASE("durations as people read them") {
    auto const read = [](std::uint32_t microseconds) {
        std::string text;
        healthz::detail::put_duration(microseconds, [&text](std::string_view piece) { text += piece; });
        return text;
    };
    CHECK(read(0) == "0.0 ms");
    CHECK(read(49) == "0.0 ms");
    CHECK(read(9949) == "9.9 ms");
    CHECK(read(9950) == "10 ms");
    CHECK(read(999499) == "999 ms");
    CHECK(read(999500) == "1.0 s");
    CHECK(read(70049999) == "70.0 s");
    CHECK(read(4294967295u) == "4295.0 s");
}

TEST_CASE("no text of a source becomes markup, or moves a terminal") {
    std::string html, terminal;
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    healthz::detail::put_html(all, [&html](std::string_view piece) { html += piece; });
    CHECK(html.find_first_of("<>'") == html.npos);
    CHECK(html.find('"') == html.npos);
    CHECK(html.find('\x7f') == html.npos);
    CHECK(healthz::detail::is_utf8(html));
    healthz::detail::put_terminal(
        "a\xC2\x9B"
        "31m\x7F"
        "b\xC2\xA0\xC2\x80",
        [&terminal](std::string_view piece) { terminal += piece; });
    CHECK(terminal ==
          "a\xEF\xBF\xBD"
          "31m\xEF\xBF\xBD"
          "b\xC2\xA0\xEF\xBF\xBD");
}

TEST_CASE("an error in its parts") {
    using healthz::detail::parts_of_error;
    auto const is = [](std::string_view json, std::string_view message, std::string_view extra) {
        auto const found = parts_of_error(json);
        return found.message == message && found.extra == extra;
    };
    CHECK(is("null", "", ""));
    CHECK(is(healthz::failed("a \"b\"").json(), R"(a \"b\")", ""));
    CHECK(is(healthz::error("a\\").json(), R"(a\\)", ""));
    CHECK(is(healthz::error("a", "b").json(), "a", R"("b")"));
    CHECK(is(healthz::error("a", healthz::json_text{R"({"x":"}"})"}).json(), "a", R"({"x":"}"})"));
}

TEST_CASE("a view of the user's is handed no names where it is open") {
    static_assert(healthz::view<healthz::view_archetype>);
    static_assert(healthz::view<healthz::document> && healthz::view<healthz::metrics> && healthz::view<healthz::page> &&
                  healthz::view<healthz::hello> && healthz::view<healthz::live<>> && healthz::view<healthz::ready<"queue">> &&
                  healthz::view<healthz::startup>);
    static_assert(!healthz::view<int>);
    auto const has_names = []<class Data>(Data const& data) {
        return requires { data.name(0); }
        || requires { data.report(); }
        || requires { data.record(0); };
    };
    CHECK(!has_names(open_data(state().source())));
    CHECK(has_names(view_data(state().source())));
    CHECK(state().open(healthz::view_archetype{}).empty());
}
