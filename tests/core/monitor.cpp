// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/monitor.hpp>
#include <healthz/write_json.hpp>

#include <boost/hana/concat.hpp>
#include <boost/hana/unpack.hpp>

#include <initializer_list>
#include <string>
#include <utility>

using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

/// An error whose message is the number `n`, for probers that show what happened to them.
constexpr outcome number(int n) {
    char const digits[] = {static_cast<char>('0' + n / 10 % 10), static_cast<char>('0' + n % 10)};
    return healthz::error({digits, 2});
}
constexpr bool shows(std::optional<healthz::verdict> const& v, int n) {
    return v && v->status == status::error && v->error == number(n).json();
}
constexpr bool is(std::optional<healthz::verdict> const& v, status expected) { return v && v->status == expected; }

/// Answers at its `needed`-th poll with the number of its starts, and complains when it is called out of turn.
struct modem {
    int needed;
    int starts = 0;
    int polls = 0;
    bool running = false;
    bool misused = false;

    constexpr void start() {
        misused |= running;
        running = true;
        polls = 0;
        ++starts;
    }
    constexpr std::optional<outcome> poll() {
        misused |= !running;
        if (misused) return healthz::error("called out of turn");
        if (++polls < needed) return std::nullopt;
        running = false;
        return number(starts);
    }
    constexpr void cancel() {
        misused |= !running;
        running = false;
    }
};
constexpr modem hanging{.needed = 1 << 30};

constexpr healthz::health_check often{.interval = 100ms, .timeout = 30ms, .retries = 0};
constexpr auto counts = [n = 0]() mutable { return number(++n); };
constexpr auto passes = [] { return healthz::ok(); };
constexpr auto misconfigured = [] { return healthz::failed("environment variable 'ORDERS_URL' not set"); };

/// Polls every `period` ms from `from` to `to`, both included.
constexpr void run(auto& m, tick from, tick to, tick period = 1, tick origin = 0) {
    for (tick t = from; t <= to; t += period) m.poll(origin + t);
}

// --- the kinds of prober

constexpr auto counter = healthz::sources(healthz::source<"counter">(counts, often));

constexpr bool an_immediate_prober_answers_at_once() {
    monitor<counter> m;
    bool const before = !m.report()[0];
    m.poll(5000);
    return before && shows(m.report()[0], 1);
}
static_assert(an_immediate_prober_answers_at_once());

constexpr bool a_stateful_prober_keeps_its_state() {
    monitor<counter> m;
    run(m, 0, 250);
    return shows(m.report()[0], 3);  // at 0, 100 and 200
}
static_assert(a_stateful_prober_keeps_its_state());

constexpr bool monitors_share_nothing() {
    monitor<counter> a, b;
    run(a, 0, 150);
    b.poll(0);
    return shows(a.report()[0], 2) && shows(b.report()[0], 1);
}
static_assert(monitors_share_nothing());

constexpr auto slow = healthz::sources(healthz::source<"modem">(modem{.needed = 4}, often));

constexpr bool a_cooperative_prober_is_polled_until_it_answers() {
    monitor<slow> m;
    run(m, 0, 2);
    bool const before = !m.report()[0];
    m.poll(3);
    return before && shows(m.report()[0], 1);
}
static_assert(a_cooperative_prober_is_polled_until_it_answers());

constexpr bool a_cooperative_prober_is_started_for_each_check() {
    monitor<slow> m;
    run(m, 0, 350);
    return shows(m.report()[0], 4);
}
static_assert(a_cooperative_prober_is_started_for_each_check());

constexpr auto stuck = healthz::sources(healthz::source<"stuck">(hanging, often));

constexpr bool a_prober_that_hangs_times_out() {
    monitor<stuck> m;
    run(m, 0, 29);
    bool const before = !m.report()[0];
    m.poll(30);
    return before && is(m.report()[0], status::timeout) && m.report()[0]->error == "null";
}
static_assert(a_prober_that_hangs_times_out());

// Were it not cancelled, or cancelled twice, it would complain.
constexpr bool a_late_attempt_is_cancelled_before_the_next() {
    monitor<stuck> m;
    run(m, 0, 450);
    return is(m.report()[0], status::timeout);
}
static_assert(a_late_attempt_is_cancelled_before_the_next());

// The fourth call is the one at the deadline.
constexpr bool an_answer_at_the_deadline_counts() {
    monitor<slow> m;
    run(m, 0, 30, 10);
    return shows(m.report()[0], 1);
}
static_assert(an_answer_at_the_deadline_counts());

struct asks_its_timeout {
    constexpr outcome probe(healthz::attempt a) const { return a.timeout == 30ms ? healthz::ok() : healthz::error("wrong"); }
};
constexpr auto asking = healthz::sources(healthz::source<"asking">(asks_its_timeout{}, often));

constexpr bool an_attempt_knows_its_timeout() {
    monitor<asking> m;
    m.poll(0);
    return is(m.report()[0], status::ok);
}
static_assert(an_attempt_knows_its_timeout());

// --- sessions

/// Settings; what lives between checks can neither be copied nor moved, as a connection that others point to.
struct database {
    int first;

    struct session {
        database const* settings;
        int checks = 0;

        constexpr explicit session(database const& s) : settings(&s) {}
        session(session const&) = delete;
        session& operator=(session const&) = delete;
        constexpr outcome probe() { return number(settings->first + checks++); }
    };
};
constexpr auto databases =
    healthz::sources(healthz::source<"orders">(database{.first = 10}, often), healthz::source<"stock">(database{.first = 50}, often));

constexpr bool a_session_is_kept_between_checks() {
    monitor<databases> m;
    run(m, 0, 1);
    bool const first = shows(m.report().get<"orders">(), 10) && shows(m.report().get<"stock">(), 50);
    run(m, 2, 210);  // "orders" at 100 and 200, "stock" at 50 and 150
    return first && shows(m.report().get<"orders">(), 12) && shows(m.report().get<"stock">(), 52);
}
static_assert(a_session_is_kept_between_checks());

// --- verdicts

constexpr healthz::health_check patient{.interval = 100ms, .timeout = 10ms, .retries = 2, .retry_interval = 20ms};
constexpr auto moody =
    healthz::sources(healthz::source<"moody">([n = 0]() mutable { return ++n == 1 ? healthz::ok() : number(n); }, patient));

constexpr bool the_previous_verdict_stands_while_retries_run() {
    monitor<moody> m;
    run(m, 0, 139);  // attempts at 0 (OK), 100, 120
    bool const before = is(m.report()[0], status::ok) && m.report()[0]->timestamp == healthz::utc_time(0ms);
    m.poll(140);
    return before && shows(m.report()[0], 4) && m.report()[0]->timestamp == healthz::utc_time(140ms);
}
static_assert(the_previous_verdict_stands_while_retries_run());

constexpr auto unset =
    healthz::sources(healthz::source<"orders">([n = 0]() mutable { return ++n == 1 ? healthz::failed("not set") : number(n); }, patient));

constexpr bool a_failed_is_not_retried() {
    monitor<unset> m;
    run(m, 0, 99);
    bool const once = is(m.report()[0], status::failed);
    run(m, 100, 140);
    return once && shows(m.report()[0], 4);
}
static_assert(a_failed_is_not_retried());

// --- many sources

constexpr auto four =
    healthz::sources(healthz::source<"passes">(passes, often), healthz::source<"stuck">(hanging, often),
                     healthz::source<"modem">(modem{.needed = 7}, patient), healthz::source<"unset">(misconfigured, often));

constexpr bool four_states_at_once() {
    monitor<four> m;
    run(m, 0, 60);
    auto const& r = m.report();
    return is(r.get<"passes">(), status::ok) && is(r.get<"stuck">(), status::timeout) && is(r.get<"modem">(), status::error) &&
           is(r.get<"unset">(), status::failed);
}
static_assert(four_states_at_once());

constexpr auto beside = healthz::sources(healthz::source<"stuck">(hanging, {.interval = 20ms, .timeout = 1000s, .retries = 0}),
                                         healthz::source<"counter">(counts, often));

constexpr bool a_prober_that_hangs_delays_no_other() {
    monitor<beside> m;
    run(m, 0, 950);
    return !m.report()[0] && shows(m.report()[1], 11);  // at 1, 10, 110, ... 910
}
static_assert(a_prober_that_hangs_delays_no_other());

constexpr auto spread = healthz::sources(healthz::source<"a">(counts, often), healthz::source<"b">(counts, often),
                                         healthz::source<"c">(counts, often), healthz::source<"d">(counts, often));

constexpr bool sources_of_one_interval_are_spread_over_it() {
    monitor<spread> m;
    run(m, 0, 3);
    bool const soon = m.report().pending() == 0;
    run(m, 4, 60);  // second checks at 100, 25, 50 and 75
    auto const& r = m.report();
    return soon && shows(r[0], 1) && shows(r[1], 2) && shows(r[2], 2) && shows(r[3], 1);
}
static_assert(sources_of_one_interval_are_spread_over_it());

constexpr auto joined = boost::hana::concat(counter, slow);

constexpr bool joined_declarations_are_one() {
    monitor<joined> m;
    run(m, 0, 10);
    return shows(m.report().get<"counter">(), 1) && shows(m.report().get<"modem">(), 1);
}
static_assert(joined_declarations_are_one());

// --- time

template <auto const& Sources>
struct document {
    char text[healthz::max_json_size<Sources>]{};
    std::size_t size = 0;

    constexpr explicit document(monitor<Sources> const& m) : size(healthz::write_json(m.report(), text).size()) {}
    constexpr std::string_view view() const { return {text, size}; }
};

constexpr bool the_clock_may_wrap_at_any_moment(tick lasts, tick period, tick every) {
    monitor<four> reference;
    run(reference, 0, lasts, period);
    document<four> const expected(reference);
    for (tick phase = 0; phase <= lasts; phase += every) {
        monitor<four> m;
        run(m, 0, lasts, period, 0u - phase);
        if (document<four>(m).view() != expected.view()) return false;
    }
    return true;
}
static_assert(the_clock_may_wrap_at_any_moment(200, 10, 100));

constexpr bool late_calls_lose_no_source() {
    monitor<four> m;
    run(m, 0, 10000, 1000);
    auto const& r = m.report();
    return is(r.get<"passes">(), status::ok) && is(r.get<"stuck">(), status::timeout) && is(r.get<"unset">(), status::failed) &&
           r.get<"passes">()->timestamp == healthz::utc_time(10s) && r.get<"stuck">()->timestamp == healthz::utc_time(10s);
}
static_assert(late_calls_lose_no_source());

constexpr bool missed_checks_are_skipped() {
    monitor<counter> m;
    run(m, 0, 2000, 1000);
    bool const one_a_call = shows(m.report()[0], 3);
    run(m, 2001, 2100);
    return one_a_call && shows(m.report()[0], 4);
}
static_assert(missed_checks_are_skipped());

constexpr bool next_poll_is_when_something_is_due() {
    monitor<moody> m;
    m.poll(7);
    bool const interval = m.next_poll() == 107;
    m.poll(107);
    return interval && m.next_poll() == 127;
}
static_assert(next_poll_is_when_something_is_due());

constexpr bool next_poll_is_now_while_a_prober_runs() {
    monitor<slow> m;
    run(m, 0, 2);
    bool const running = m.next_poll() == 2;
    m.poll(3);
    return running && m.next_poll() == 100;
}
static_assert(next_poll_is_now_while_a_prober_runs());

constexpr auto immediate = healthz::sources(healthz::source<"passes">(passes, often), healthz::source<"moody">(counts, patient),
                                            healthz::source<"unset">(misconfigured, {.interval = 37ms}));

constexpr bool sleeping_until_next_poll_misses_nothing() {
    monitor<immediate> awake, sleeper;
    tick const origin = 0u - 170;
    run(awake, 0, 300, 1, origin);
    for (tick now = origin; now - origin <= 300; now = sleeper.next_poll()) sleeper.poll(now);
    return document<immediate>(awake).view() == document<immediate>(sleeper).view();
}
static_assert(sleeping_until_next_poll_misses_nothing());

constexpr bool timestamps_are_the_users_time() {
    monitor<counter> m;
    auto const now = healthz::utc_time(1660037525235347837ns);
    m.poll(0, now);
    return m.report()[0]->timestamp == now;
}
static_assert(timestamps_are_the_users_time());

constexpr bool timestamps_else_count_from_the_first_call() {
    monitor<counter> m;
    run(m, 0, 250, 1, 0u - 120);
    return m.report()[0]->timestamp == healthz::utc_time(200ms);
}
static_assert(timestamps_else_count_from_the_first_call());

constexpr auto rare = healthz::sources(healthz::source<"counter">(counts, {.interval = 20 * 24h, .retries = 0}));

constexpr bool timestamps_outlast_the_clock() {
    monitor<rare> m;
    constexpr tick day = 24 * 3600 * 1000;
    for (std::uint32_t i = 0; i <= 200; ++i) m.poll(i * day);  // the clock wraps after 49.7 days
    return shows(m.report()[0], 11) && m.report()[0]->timestamp == healthz::utc_time(200 * 24h);
}
static_assert(timestamps_outlast_the_clock());

constexpr bool clocks_of_chrono_are_understood() {
    monitor<counter> m;
    using clock = std::chrono::steady_clock;
    m.poll(clock::time_point(24h * 1000));
    m.poll(clock::time_point(24h * 1000 + 99ms + 999us));
    bool const before = shows(m.report()[0], 1);
    m.poll(24h * 1000 + 100ms);
    return before && shows(m.report()[0], 2);
}
static_assert(clocks_of_chrono_are_understood());

// --- retries without a pause

constexpr healthz::health_check eager{.interval = 100ms, .timeout = 10ms, .retries = 2, .retry_interval = 0ms};
constexpr auto impatient = healthz::sources(healthz::source<"stuck">(hanging, eager));

constexpr bool a_retry_without_a_pause_starts_where_the_attempt_ends() {
    monitor<impatient> m;
    run(m, 0, 29);
    bool const before = !m.report()[0] && m.next_poll() == 29;
    m.poll(30);  // three attempts of 10 ms
    return before && is(m.report()[0], status::timeout) && m.next_poll() == 100;
}
static_assert(a_retry_without_a_pause_starts_where_the_attempt_ends());

constexpr auto busy = healthz::sources(healthz::source<"moody">(counts, eager), healthz::source<"modem">(modem{.needed = 1}, eager));

constexpr bool a_poll_starts_one_attempt_of_those_that_end_at_once() {
    monitor<busy> m;
    m.poll(0);
    bool const first = !m.report()[0] && m.next_poll() == 0;
    m.poll(0);
    m.poll(0);
    bool const second = shows(m.report()[0], 3) && !m.report()[1];
    run(m, 1, 3);
    return first && second && shows(m.report()[1], 3);
}
static_assert(a_poll_starts_one_attempt_of_those_that_end_at_once());

// --- probes that take their time, and a clock that tells

tick clock_now = 0;
tick read_clock() { return clock_now; }
tick attempts_at[8];
std::size_t attempts = 0;
struct takes_90_ms {
    static constexpr tick lasts = 90;
    outcome probe() const {
        if (attempts < 8) attempts_at[attempts++] = clock_now;
        clock_now += lasts;
        return healthz::error("slow");
    }
};
constexpr healthz::health_check pausing{.interval = 1s, .timeout = 100ms, .retries = 2, .retry_interval = 100ms};
constexpr auto slowly = healthz::sources(healthz::source<"slow">(takes_90_ms{}, pausing));

/// Polls until the `n`-th attempt was made, with `poll(m)`; whether the attempts were at these times.
template <auto const& Sources>
bool attempts_are(std::initializer_list<tick> expected, auto poll) {
    monitor<Sources> m;
    clock_now = 0u - 150;  // it wraps on the way
    auto const origin = clock_now;
    attempts = 0;
    bool same = true;
    for (int polls = 0; attempts < expected.size() && polls < 10000; ++polls, ++clock_now) poll(m);
    std::size_t i = 0;
    for (tick const at : expected) same = same && i < attempts && attempts_at[i++] - origin == at;
    return same;
}

constexpr auto always = healthz::sources(healthz::source<"slow">(takes_90_ms{}, {.interval = 50ms, .timeout = 100ms, .retries = 0}));

// Behind a probe that blocks: the time of its attempts begins after that.
struct answers_after_20_ms {
    tick started = 0;
    void start() { started = clock_now; }
    std::optional<outcome> poll() {
        if (clock_now - started < 20) return std::nullopt;
        return healthz::ok();
    }
    void cancel() {}
};
constexpr auto behind = healthz::sources(healthz::source<"slow">(takes_90_ms{}, {.interval = 1h, .retries = 0}),
                                         healthz::source<"quick">(answers_after_20_ms{}, {.interval = 1h, .timeout = 50ms, .retries = 0}));

// --- cost

static_assert(sizeof(monitor<databases>) <= 512);

// An immediate prober without state costs what its verdict needs, and 40 bytes: a flat bank, and no pointers.
template <class T>
constexpr bool lean = sizeof(T) <= 4 * (128 + 40) + 40;
constexpr auto stateless =
    healthz::sources(healthz::source<"a">([] { return healthz::ok(); }, often), healthz::source<"b">([] { return healthz::ok(); }, often),
                     healthz::source<"c">([] { return healthz::ok(); }, often), healthz::source<"d">([] { return healthz::ok(); }, often));
static_assert(lean<monitor<stateless>>);

// Firmware puts it into static memory without any code that runs before main.
constinit monitor<four> in_static_memory;

int calls = 0;
constexpr auto counted = healthz::sources(healthz::source<"counted">(
                                              [] {
                                                  ++calls;
                                                  return healthz::ok();
                                              },
                                              often),
                                          healthz::source<"rare">(passes, {.interval = 1h}));

int opened = 0, closed = 0;
struct link {
    class session {
    public:
        explicit session(link const&) { ++opened; }
        session(session const&) = delete;
        session& operator=(session const&) = delete;
        ~session() { ++closed; }
        outcome probe() { return healthz::ok(); }
    };
};
constexpr auto links = healthz::sources(healthz::source<"a">(link{}, often), healthz::source<"b">(link{}, often));

// --- 300 sources

template <std::size_t Index>
struct indexed_prober {
    constexpr outcome probe() const { return number(Index % 100); }
};
template <std::size_t Index>
constexpr char name_of[] = {'s', '0' + Index / 100, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};

constexpr auto three_hundred = []<std::size_t... I>(std::index_sequence<I...>) {
    return healthz::sources(healthz::source<name_of<I>>(indexed_prober<I>{}, {.interval = 1s})...);
}
(std::make_index_sequence<300>{});

}  // namespace

TEST_CASE("monitor: immediate probers") {
    CHECK(at_run_time(an_immediate_prober_answers_at_once));
    CHECK(at_run_time(a_stateful_prober_keeps_its_state));
    CHECK(at_run_time(monitors_share_nothing));
    CHECK(at_run_time(an_attempt_knows_its_timeout));
}

TEST_CASE("monitor: cooperative probers") {
    CHECK(at_run_time(a_cooperative_prober_is_polled_until_it_answers));
    CHECK(at_run_time(a_cooperative_prober_is_started_for_each_check));
    CHECK(at_run_time(a_prober_that_hangs_times_out));
    CHECK(at_run_time(a_late_attempt_is_cancelled_before_the_next));
    CHECK(at_run_time(an_answer_at_the_deadline_counts));
}

TEST_CASE("monitor: sessions") { CHECK(at_run_time(a_session_is_kept_between_checks)); }

TEST_CASE("monitor: sessions are opened by the first poll and closed with the monitor") {
    {
        monitor<links> never_polled, m;
        CHECK(opened == 0);
        run(m, 0, 500);
        CHECK(opened == 2);
        CHECK(closed == 0);
    }
    CHECK(opened == 2);
    CHECK(closed == 2);
}

TEST_CASE("monitor: verdicts") {
    CHECK(at_run_time(the_previous_verdict_stands_while_retries_run));
    CHECK(at_run_time(a_failed_is_not_retried));
}

TEST_CASE("monitor: retries without a pause") {
    CHECK(at_run_time(a_retry_without_a_pause_starts_where_the_attempt_ends));
    CHECK(at_run_time(a_poll_starts_one_attempt_of_those_that_end_at_once));
}

TEST_CASE("monitor: a pause begins where the attempt has ended, for a clock that tells") {
    CHECK(attempts_are<slowly>({0, 190, 380, 1000, 1190}, [](auto& m) { m.poll(read_clock); }));
    CHECK(attempts_are<slowly>({0, 190, 380}, [](auto& m) { m.poll([] { return std::chrono::milliseconds(clock_now); }); }));
    CHECK(attempts_are<slowly>({0, 190, 380}, [](auto& m) { m.poll(read_clock, healthz::utc_time(1s)); }));
    CHECK(attempts_are<slowly>({0, 100, 200, 1000}, [](auto& m) { m.poll(clock_now); }));  // what is told ends at once
    // A start that falls into a check is skipped.
    CHECK(attempts_are<always>({0, 100, 200, 300}, [](auto& m) { m.poll(read_clock); }));
    CHECK(attempts_are<always>({0, 91, 182}, [](auto& m) { m.poll(clock_now); }));
}

TEST_CASE("monitor: nor does a probe that blocks take an attempt's time from the source after it") {
    monitor<behind> m;
    clock_now = 0;
    for (int polls = 0; polls < 60; ++polls, ++clock_now) m.poll(read_clock);
    CHECK(m.report().get<"quick">()->status == status::ok);
    CHECK(m.report().get<"quick">()->timestamp == healthz::utc_time(110ms));
}

TEST_CASE("monitor: sources beside each other") {
    CHECK(at_run_time(four_states_at_once));
    CHECK(at_run_time(a_prober_that_hangs_delays_no_other));
    CHECK(at_run_time(sources_of_one_interval_are_spread_over_it));
    CHECK(at_run_time(joined_declarations_are_one));
}

TEST_CASE("monitor: a wrap of the clock") {
    CHECK(the_clock_may_wrap_at_any_moment(400, 1, 1));
    CHECK(the_clock_may_wrap_at_any_moment(2000, 170, 10));
}

TEST_CASE("monitor: late calls") {
    CHECK(at_run_time(late_calls_lose_no_source));
    CHECK(at_run_time(missed_checks_are_skipped));
}

TEST_CASE("monitor: sleeping in between") {
    CHECK(at_run_time(next_poll_is_when_something_is_due));
    CHECK(at_run_time(next_poll_is_now_while_a_prober_runs));
    CHECK(at_run_time(sleeping_until_next_poll_misses_nothing));
}

TEST_CASE("monitor: timestamps and clocks") {
    CHECK(at_run_time(timestamps_are_the_users_time));
    CHECK(at_run_time(timestamps_else_count_from_the_first_call));
    CHECK(at_run_time(timestamps_outlast_the_clock));
    CHECK(at_run_time(clocks_of_chrono_are_understood));
}

TEST_CASE("monitor: static memory") {
    run(in_static_memory, 0, 49);
    CHECK(in_static_memory.report().count(status::ok) == 1);
}

TEST_CASE("monitor: nothing is probed before it is due") {
    monitor<counted> m;  // its second check is due at 50
    for (tick t = 0; t < 50; ++t)
        for (int i = 0; i < 10; ++i) m.poll(t);
    CHECK(calls == 1);
    run(m, 50, 149);
    CHECK(calls == 2);
}

TEST_CASE("monitor: 300 sources") {
    static monitor<three_hundred> m;
    static char buffer[healthz::max_json_size<three_hundred>];
    run(m, 0, 2000);
    CHECK(m.report().count(status::error) == 0);  // retries take half a minute
    run(m, 2000, 31000, 100);
    CHECK(m.report().count(status::error) == 300);
    CHECK(shows(m.report().get<"s299">(), 99));
    CHECK(judge::is_json(healthz::write_json(m.report(), buffer)));
}
