// SPDX-License-Identifier: BSL-1.0
// What is told of values; how the compilers tell it stands in compile_fail.
#include "support.hpp"

#include <healthz/combine.hpp>
#include <healthz/sources.hpp>

#include <boost/hana/at.hpp>

using namespace std::chrono_literals;

namespace {

constexpr std::string_view told_of(char const* sentence) { return sentence != nullptr ? sentence : "nothing"; }

struct gauge {
    int pin = -1;
    constexpr char const* complaint() const { return pin < 0 ? "healthz: gauge needs a pin: write .pin = 3" : nullptr; }
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};
constexpr std::string_view no_pin = "healthz: gauge needs a pin: write .pin = 3";

constexpr bool a_prober_complains() {
    return told_of(healthz::detail::complaint_of(gauge{})) == no_pin &&
           told_of(healthz::detail::complaint_of(gauge{.pin = 1})) == "nothing" &&
           told_of(healthz::detail::complaint_of(healthz::immediate_archetype{})) == "nothing";
}
static_assert(a_prober_complains());

// Whatever a prober is wrapped in.
constexpr bool the_first_member_with_a_complaint_is_heard() {
    constexpr gauge complete{.pin = 1}, incomplete;
    return told_of(healthz::detail::complaint_of(healthz::all_of(complete, complete))) == "nothing" &&
           told_of(healthz::detail::complaint_of(healthz::any_of(healthz::immediate_archetype{}, complete, incomplete))) == no_pin &&
           told_of(healthz::detail::complaint_of(healthz::inverted(healthz::all_of(complete, incomplete)))) == no_pin &&
           told_of(healthz::detail::complaint_of(healthz::depends_on<"power">(incomplete))) == no_pin;
}
static_assert(the_first_member_with_a_complaint_is_heard());

// A member of that name that means something else is left alone.
struct moody {
    std::string_view complaint() const { return "cold"; }
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};
static_assert(!healthz::detail::has_complaint<moody> && healthz::detail::has_complaint<gauge>);
constexpr auto sources =
    healthz::sources(healthz::source<"moody">(moody{}, {.interval = 1s}), healthz::source<"gauge">(gauge{.pin = 3}, {.interval = 1s}));
static_assert(boost::hana::at_c<1>(sources).prober.pin == 3);

// A lambda that captures values is a constant like others; so is what holds a reference to an object with static storage.
constinit int state = 0;
struct reader {
    int const& value;
    constexpr healthz::outcome operator()() const { return value == 0 ? healthz::ok() : healthz::error("not 0"); }
};
constexpr auto lambda = [n = 3, text = "x"] { return n > 2 ? healthz::ok() : healthz::error(text); };
template <class Prober>
struct guarded {
    Prober inner;
    int const& value;
    constexpr healthz::outcome operator()() const { return value == 0 ? inner() : healthz::error("not 0"); }
};
constexpr auto two_values = healthz::all_of(lambda, [m = 4] { return m > 3 ? healthz::ok() : healthz::error(""); });
static_assert(!healthz::detail::captures_reference<decltype(lambda)> && !healthz::detail::captures_reference<reader>);
static_assert(!healthz::detail::captures_reference<decltype(two_values)> &&
              !healthz::detail::captures_reference<guarded<decltype(lambda)>>);
constexpr auto captures =
    healthz::sources(healthz::source<"lambda">(lambda, {.interval = 1s}), healthz::source<"reader">(reader{state}, {.interval = 1s}),
                     healthz::source<"two values">(two_values, {.interval = 1s}),
                     healthz::source<"guarded">(guarded<decltype(lambda)>{lambda, state}, {.interval = 1s}));
static_assert(boost::hana::at_c<0>(captures).prober().status() == healthz::status::ok);

}  // namespace

TEST_CASE("complaint: of a prober, and of what it is wrapped in") {
    CHECK(at_run_time(a_prober_complains));
    CHECK(at_run_time(the_first_member_with_a_complaint_is_heard));
    int local = 0;
    auto const by_reference = [&local] { return local == 0 ? healthz::ok() : healthz::error("not 0"); };
    static_assert(healthz::detail::captures_reference<decltype(by_reference)>);
    CHECK(by_reference().status() == healthz::status::ok);
    CHECK(boost::hana::at_c<1>(captures).prober().status() == healthz::status::ok);
}
