// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/combine.hpp>
#include <healthz/monitor.hpp>

using healthz::all_of;
using healthz::any_of;
using healthz::attempt;
using healthz::inverted;
using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

struct fine {
    static constexpr bool blocking = false;
    constexpr outcome probe() const { return healthz::ok(); }
};
struct ill {
    constexpr outcome probe() const { return healthz::error("no route", "from \"here\""); }
};
struct unset {
    constexpr healthz::basic_outcome<64> probe() const { return healthz::failed<64>("URL not set"); }
};
struct silent {
    constexpr outcome probe() const { return healthz::timeout(); }
};

constexpr bool finds(auto prober, status wanted, std::string_view error = "null") {
    healthz::session_of<decltype(prober)> session(prober);
    auto const found = healthz::detail::probe(session, attempt{1s});
    return found.status() == wanted && found.json() == error && judge::is_json(found.json());
}

// --- inverted

static_assert(finds(inverted(fine{}), status::error, R"({"message":"is OK, but should not be"})"));
static_assert(finds(inverted(ill{}), status::ok));
static_assert(finds(inverted(unset{}), status::failed, R"("URL not set")"));
static_assert(finds(inverted(silent{}), status::timeout));
static_assert(finds(inverted(inverted(fine{})), status::ok));

// --- all_of and any_of of what answers at once

static_assert(finds(all_of(fine{}, fine{}), status::ok));
static_assert(finds(all_of(fine{}, ill{}, unset{}), status::error,
                    R"({"message":"member 2 is not OK","extra":{"message":"no route","extra":"from \"here\""}})"));
static_assert(finds(all_of(fine{}, fine{}, unset{}, ill{}), status::failed, R"("member 3 is not OK: URL not set")"));
static_assert(finds(all_of(silent{}, ill{}), status::timeout));

static_assert(finds(any_of(ill{}, unset{}, fine{}), status::ok));
static_assert(finds(any_of(unset{}, ill{}, ill{}), status::error,
                    R"({"message":"no member is OK, the worst is member 2","extra":{"message":"no route","extra":"from \"here\""}})"));
static_assert(finds(any_of(silent{}, unset{}), status::failed, R"("no member is OK, the worst is member 2: URL not set")"));
static_assert(finds(any_of(silent{}, silent{}), status::timeout));
static_assert(finds(any_of(fine{}), status::ok) && finds(all_of(fine{}), status::ok));

// They compose.
static_assert(finds(all_of(any_of(ill{}, fine{}), inverted(ill{})), status::ok));
static_assert(finds(all_of(fine{}, any_of(unset{}, unset{})), status::failed,
                    R"("member 2 is not OK: no member is OK, the worst is member 1: URL not set")"));
static_assert(finds(all_of(inverted(fine{})), status::error,
                    R"({"message":"member 1 is not OK","extra":{"message":"is OK, but should not be"}})"));
constexpr auto callables =
    any_of([] { return healthz::failed("x"); }, [](attempt a) { return a.timeout == 1s ? healthz::ok() : healthz::error(""); });
static_assert(finds(callables, status::ok));

// Numbers of two digits; and a member's text is not cut, whatever fills it.
template <std::size_t... Index>
constexpr auto many(std::index_sequence<Index...>) {
    return all_of(inverted(std::conditional_t<Index == 31, fine, ill>{})...);
}
static_assert(finds(many(std::make_index_sequence<32>()), status::error,
                    R"({"message":"member 32 is not OK","extra":{"message":"is OK, but should not be"}})"));
struct wordy {
    constexpr outcome probe() const {
        char text[200];
        for (char& c : text) c = '\\';
        return healthz::error({text, sizeof text}, {text, sizeof text});
    }
};
constexpr bool a_long_text_is_kept_whole() {
    auto const found = any_of(wordy{}, wordy{}).probe(attempt{1s});
    return judge::is_json(found.json()) && found.json().find(wordy().probe().json()) != std::string_view::npos;
}
static_assert(a_long_text_is_kept_whole());

// --- kinds

struct keeps_something {
    struct session {
        int asked = 0;
        constexpr explicit session(keeps_something const&) {}
        constexpr outcome probe() { return ++asked == 3 ? healthz::ok() : healthz::error("not yet"); }
    };
};
/// Answers in its `needed`-th poll; complains of calls out of turn.
struct modem {
    int needed;
    status answer = status::ok;
    int polls = 0;
    bool running = false, misused = false;

    constexpr void start() {
        misused |= running;
        running = true;
        polls = 0;
    }
    constexpr std::optional<outcome> poll() {
        misused |= !running;
        if (misused) return healthz::failed("called out of turn");
        if (++polls < needed) return std::nullopt;
        running = false;
        if (answer == status::ok) return healthz::ok();
        return healthz::error("no carrier");
    }
    constexpr void cancel() {
        misused |= !running;
        running = false;
    }
};
template <class T>
struct awaitable {
    using value_type = T;
    bool await_ready() const { return true; }
    T await_resume() const { return T::ok(); }
};
struct coroutine {
    awaitable<outcome> probe() const { return {}; }
};
template <class P>
concept immediate = healthz::immediate_prober<healthz::session_of<P>>;
template <class P>
concept cooperative = healthz::cooperative_prober<healthz::session_of<P>>;
template <class P>
concept needs_runner = healthz::coroutine_prober<healthz::session_of<P>>;

template <class... P>
using any = decltype(any_of(std::declval<P>()...));
template <class P>
using inverse = decltype(inverted(std::declval<P>()));
static_assert(immediate<inverse<ill>> && cooperative<inverse<modem>> && needs_runner<inverse<coroutine>>);
static_assert(immediate<any<ill, keeps_something>> && cooperative<any<ill, modem>> && needs_runner<any<modem, coroutine, ill>>);
static_assert(needs_runner<any<inverse<coroutine>, ill>> && cooperative<any<any<modem, modem>, inverse<ill>>>);
static_assert(healthz::is_remote<any<ill, coroutine>> && !healthz::is_remote<any<ill, modem>>);

// A runner runs members at the same time where one of them could hold up the others, and itself where one may lack a descriptor.
static_assert(any<fine, coroutine>::concurrent && inverse<coroutine>::concurrent && any<ill, ill>::concurrent &&
              any<ill, modem>::concurrent);
static_assert(inverse<ill>::concurrent);
static_assert(!any<fine, fine>::concurrent && !any<fine, modem>::concurrent && !inverse<modem>::concurrent);
static_assert(healthz::may_block<inverse<ill>>() && !healthz::may_block<inverse<fine>>() && !healthz::may_block<any<fine, fine>>());

// What keeps nothing stays in flash.
static_assert(healthz::detail::stateless_prober<any<ill, inverse<fine>>> && !healthz::detail::stateless_prober<any<ill, keeps_something>>);

// --- in a monitor

constexpr healthz::health_check often{.interval = 100ms, .timeout = 20ms, .retries = 0};

template <auto const& Sources>
constexpr bool verdict_at(tick end, status wanted, std::string_view error = "null") {
    monitor<Sources> m;
    for (tick now = 0; now <= end; ++now) m.poll(now);
    auto const v = m.report()[0];
    return v && v->status == wanted && v->error == error;
}

constexpr auto learns = healthz::sources(healthz::source<"a">(all_of(fine{}, keeps_something{}), often));
static_assert(verdict_at<learns>(150, status::error, R"({"message":"member 2 is not OK","extra":{"message":"not yet"}})"));
static_assert(verdict_at<learns>(250, status::ok));

// The fast one decides and the slow one is cancelled; were it not, it would complain in the next check.
constexpr auto fast_and_slow = healthz::sources(healthz::source<"a">(any_of(modem{.needed = 10}, modem{.needed = 3}), often));
static_assert(verdict_at<fast_and_slow>(2, status::ok) && verdict_at<fast_and_slow>(350, status::ok));

constexpr auto both = healthz::sources(healthz::source<"a">(all_of(modem{.needed = 10}, modem{.needed = 3}), often));
static_assert(verdict_at<both>(9, status::ok) && verdict_at<both>(350, status::ok));

// All are started, so that two that answer in the tenth poll are done with the tenth.
constexpr auto together =
    healthz::sources(healthz::source<"a">(all_of(modem{.needed = 10}, modem{.needed = 10, .answer = status::error}), often));
static_assert(verdict_at<together>(9, status::error, R"({"message":"member 2 is not OK","extra":{"message":"no carrier"}})"));

// Of two alike the first is told, whichever was faster.
constexpr auto both_ill = healthz::sources(
    healthz::source<"a">(any_of(modem{.needed = 3, .answer = status::error}, modem{.needed = 2, .answer = status::error}), often));
static_assert(verdict_at<both_ill>(2, status::error,
                                   R"({"message":"no member is OK, the worst is member 1","extra":{"message":"no carrier"}})"));

// A hanging replica is no harm; where none else answers, it is a timeout, and it is cancelled.
constexpr modem hanging{.needed = 1 << 30};
constexpr auto one_hangs = healthz::sources(healthz::source<"a">(any_of(hanging, ill{}, modem{.needed = 5}), often));
static_assert(verdict_at<one_hangs>(4, status::ok) && verdict_at<one_hangs>(350, status::ok));
constexpr auto nobody = healthz::sources(healthz::source<"a">(any_of(hanging, ill{}), often));
constexpr bool what_hangs_times_out() { return verdict_at<nobody>(20, status::timeout) && verdict_at<nobody>(350, status::timeout); }
static_assert(what_hangs_times_out());

// An immediate member among cooperative ones is asked once a check.
constexpr auto counts = [n = 0]() mutable { return ++n == 3 ? healthz::ok() : healthz::error("not yet"); };
constexpr auto mixed = healthz::sources(healthz::source<"a">(all_of(modem{.needed = 8}, counts), often));
static_assert(verdict_at<mixed>(150, status::error, R"({"message":"member 2 is not OK","extra":{"message":"not yet"}})"));
static_assert(verdict_at<mixed>(250, status::ok));

constexpr auto inverse_modem = healthz::sources(healthz::source<"a">(inverted(modem{.needed = 4, .answer = status::error}), often));
static_assert(verdict_at<inverse_modem>(3, status::ok) && verdict_at<inverse_modem>(350, status::ok));
constexpr auto inverse_silence = healthz::sources(healthz::source<"a">(inverted(hanging), often));
static_assert(verdict_at<inverse_silence>(20, status::timeout) && verdict_at<inverse_silence>(350, status::timeout));

constexpr auto nested = healthz::sources(healthz::source<"a">(
    all_of(any_of(hanging, modem{.needed = 5}), inverted(any_of(ill{}, modem{.needed = 7, .answer = status::error}))), often));
constexpr bool nested_ones_are_one() { return verdict_at<nested>(6, status::ok) && verdict_at<nested>(350, status::ok); }
static_assert(nested_ones_are_one());

}  // namespace

TEST_CASE("combinations decide alike when they are run") {
    CHECK(at_run_time([] {
        return finds(
            all_of(fine{}, any_of(unset{}, ill{})), status::error,
            R"({"message":"member 2 is not OK","extra":{"message":"no member is OK, the worst is member 2","extra":{"message":"no route","extra":"from \"here\""}}})");
    }));
    CHECK(at_run_time([] { return finds(inverted(unset{}), status::failed, R"("URL not set")"); }));
    CHECK(at_run_time(what_hangs_times_out));
    CHECK(at_run_time(nested_ones_are_one));
}
