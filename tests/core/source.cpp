// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/sources.hpp>

#include <boost/hana/at.hpp>
#include <boost/hana/equal.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/remove_if.hpp>
#include <boost/hana/transform.hpp>

namespace hana = boost::hana;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr healthz::health_check every_second{.interval = 1s};

// The defaults of the contract.
static_assert(every_second.timeout == 10s && every_second.retries == 3 && every_second.retry_interval == 10s);
static_assert(healthz::health_check{}.interval == 0s);

// From the start of a check to its verdict: (1 + retries) * timeout + retries * retry_interval.
static_assert(every_second.longest_check() == 70s);
static_assert(healthz::health_check{.interval = 1s, .timeout = 20ms, .retries = 1, .retry_interval = 100ms}.longest_check() == 140ms);
static_assert(healthz::health_check{.interval = 1s, .timeout = 3s, .retries = 0}.longest_check() == 3s);

constexpr healthz::immediate_archetype prober;
constexpr auto orders = healthz::source<"orders">(prober, {.interval = 1s, .retries = 0});
static_assert(orders.name == "orders" && orders.check.interval == 1s && orders.check.retries == 0);
static_assert(healthz::source<"a\0\"\xC3\xA9">(prober, every_second).name == "a\0\"\xC3\xA9"sv);

// The settings of a prober reach it through the declaration.
struct threshold {
    int celsius;
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};
static_assert(healthz::source<"oven">(threshold{.celsius = 80}, every_second).prober.celsius == 80);

// The limits of what compiles; what lies beyond them stands in compile_fail.
constexpr auto limits =
    healthz::sources(healthz::source<"fastest">(prober, {.interval = 1ms, .timeout = 1ms, .retries = 0, .retry_interval = 0ms}),
                     healthz::source<"longest">(prober, {.interval = 1ms, .timeout = std::chrono::milliseconds(0x7FFFFFFE), .retries = 0}),
                     healthz::source<"rarest">(prober, {.interval = 24 * 24h, .timeout = 1s, .retries = 0}),
                     healthz::source<"most stubborn">(prober, {.interval = 1s, .timeout = 1ms, .retries = 32767, .retry_interval = 1ms}));

// The declaration is a Hana tuple: Hana's algorithms make further declarations of it.
static_assert(hana::length(limits) == hana::size_c<4>);
constexpr auto cooperative_only =
    hana::remove_if(healthz::sources(orders, healthz::source<"modem">(healthz::cooperative_archetype{}, every_second)),
                    [](auto const& s) { return hana::bool_c<healthz::immediate_prober<decltype(s.prober)>>; });
static_assert(hana::length(cooperative_only) == hana::size_c<1>);
static_assert(hana::at_c<0>(cooperative_only).name == "modem");

constexpr auto slower = hana::transform(limits, [](auto s) {
    s.check.interval += 1s;
    return s;
});
static_assert(hana::at_c<0>(slower).check.interval == 1001ms);

template <class... Names>
constexpr std::size_t duplicate_among(Names... names) {
    return healthz::detail::name_index<sizeof...(Names)>({names...}).first_duplicate();
}
constexpr bool duplicates_are_found_wherever_they_stand() {
    return duplicate_among("a", "b", "c") == 3 && duplicate_among("a") == 1 && duplicate_among("a", "a") == 0 &&
           duplicate_among("b", "a", "c", "a") == 1 && duplicate_among("c", "a", "b", "b") == 2 &&
           duplicate_among("a", "A", "a ", "a\0"sv, "") == 5;
}
static_assert(duplicates_are_found_wherever_they_stand());

// Names of three letters, all different.
template <std::size_t Count>
struct many_names {
    char letters[Count][3]{};
    std::array<std::string_view, Count> views{};

    constexpr many_names() {
        for (std::size_t i = 0; i < Count; ++i) {
            for (std::size_t k = 0, rest = i; k < 3; ++k, rest /= 26) letters[i][k] = static_cast<char>('a' + rest % 26);
            views[i] = {letters[i], 3};
        }
    }
};
constexpr bool a_thousand_names_are_compared() {
    many_names<1024> names;
    healthz::detail::name_index<1024> const all(names.views);
    for (std::size_t i = 0; i < 1024; ++i)
        if (all.find(names.views[i]) != i) return false;
    if (all.first_duplicate() != 1024 || all.find("aa") != 1024 || all.find("") != 1024) return false;
    names.views[1023] = names.views[500];
    return healthz::detail::name_index<1024>(names.views).first_duplicate() == 500;
}
static_assert(a_thousand_names_are_compared());

}  // namespace

TEST_CASE("source: duplicate names") {
    CHECK(at_run_time(duplicates_are_found_wherever_they_stand));
    CHECK(at_run_time(a_thousand_names_are_compared));
}
