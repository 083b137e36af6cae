// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/declaration.hpp>

#include <boost/hana/concat.hpp>

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr healthz::immediate_archetype prober;

struct wide {
    constexpr healthz::basic_outcome<1000> probe() const { return healthz::ok(); }
};

constexpr auto sources =
    healthz::sources(healthz::source<"orders">(prober, {.interval = 10s}),
                     healthz::source<"cache">(wide{}, {.interval = 5s, .timeout = 250ms, .retries = 0, .retry_interval = 1s}),
                     healthz::source<"queue">(prober, {.interval = 1s, .timeout = 100ms, .retries = 2, .retry_interval = 50ms}));
constexpr auto& rows = healthz::detail::rows_of<sources>;

static_assert(healthz::size_of<sources> == 3);
static_assert(rows[0].name() == "orders" && rows[1].name() == "cache" && rows[2].name() == "queue");

// The settings, in milliseconds.
static_assert(rows[1].schedule.interval == 5000 && rows[1].schedule.timeout == 250 && rows[1].schedule.retries == 0 &&
              rows[1].schedule.retry_interval == 1000);

// The starts are planned: see the tests of starts.hpp.
static_assert(rows[0].schedule.first == 1 && rows[1].schedule.first == 2 && rows[2].schedule.first == 0);
static_assert(rows[0].schedule.later == 1500 && rows[1].schedule.later == 500 && rows[2].schedule.later == 1000);
static_assert(healthz::max_starts_per_tick<sources> == 1);

// Error texts lie one behind the other.
static_assert(rows[0].text_offset == 0 && rows[0].text_capacity == 128 && rows[1].text_offset == 128 && rows[1].text_capacity == 1000 &&
              rows[2].text_offset == 1128);

static_assert(healthz::index_of<sources, "orders">() == 0 && healthz::index_of<sources, "queue">() == 2);

// Names are escaped while compiling.
template <healthz::fixed_string Name>
constexpr auto named = healthz::sources(healthz::source<Name>(prober, {.interval = 1s}));
template <healthz::fixed_string Name>
constexpr std::string_view key = healthz::detail::rows_of<named<Name>>[0].key();

static_assert(key<"orders"> == "orders");
static_assert(key<"a \"b\" \\c"> == R"(a \"b\" \\c)");
static_assert(key<"\0\x01\b\t\n\f\r\x1F"> == R"(\u0000\u0001\b\t\n\f\r\u001f)");
static_assert(key<"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F"> == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F");
static_assert(key<"</script>"> == "</script>");

// One interval, the longest check after it, and the last answer's way where that may hold up the next check: the slowest
// of 10 + 70 + 10, 5 + 0.25 and 1 + 0.4 s.
static_assert(healthz::worst_case_detection<sources>() == 90s);
constexpr auto local =
    healthz::sources(healthz::source<"cache">(prober, {.interval = 5s, .timeout = 250ms, .retries = 0}),
                     healthz::source<"queue">(prober, {.interval = 1s, .timeout = 2s, .retries = 2, .retry_interval = 50ms}));
static_assert(healthz::worst_case_detection<local>() == 9100ms);

// An answer that is on its way for as long as the interval costs one; and so does, a little below it, a late poll.
constexpr healthz::detail::schedule tight(healthz::tick timeout) { return {1000, timeout, 0, 1000, 0}; }
static_assert(healthz::worst_case_detection(tight(1000)) == 3000ms && healthz::worst_case_detection(tight(999)) == 1999ms);
static_assert(healthz::worst_case_detection(tight(999), 1, 1ms) == 3001ms && healthz::worst_case_detection(tight(900), 1, 1ms) == 1902ms);
static_assert(healthz::worst_case_detection(tight(1500)) == 3500ms && healthz::worst_case_detection(tight(2500), 2) == 8500ms);
// Late polls delay each start and each end.
static_assert(healthz::worst_case_detection<local>(10ms) == 9100ms + 4 * 20ms);
static_assert(healthz::worst_case_detection<local, "cache">(10ms) == 5270ms);

// Each source has its own.
static_assert(healthz::worst_case_detection<local, "cache">() == 5250ms);
static_assert(healthz::worst_case_detection<local, "queue">() == 9100ms);

// Two declarations make a third.
constexpr auto more = healthz::sources(healthz::source<"oven">(wide{}, {.interval = 2s}));
constexpr auto all = boost::hana::concat(more, sources);
static_assert(healthz::size_of<all> == 4);
static_assert(healthz::index_of<all, "oven">() == 0 && healthz::index_of<all, "orders">() == 1);
static_assert(healthz::detail::rows_of<all>[1].text_offset == 1000);

constexpr bool rows_keep_the_order() {
    constexpr std::string_view expected[] = {"oven", "orders", "cache", "queue"};
    for (std::size_t i = 0; i < 4; ++i)
        if (healthz::detail::rows_of<all>[i].name() != expected[i]) return false;
    return true;
}
static_assert(rows_keep_the_order());

}  // namespace

TEST_CASE("declaration: the tables") { CHECK(at_run_time(rows_keep_the_order)); }
