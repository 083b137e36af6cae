// SPDX-License-Identifier: BSL-1.0
// Slots that are bound when the program runs, in a monitor.
#include "support.hpp"

#include <healthz.hpp>

#include <string>

using healthz::bound;
using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

constexpr auto sources =
    healthz::sources(healthz::source<"queue">(bound<>{}, {.interval = 1s, .timeout = 100ms, .retries = 0, .fall = 3}),
                     healthz::source<"bus">(bound<512>{}, {.interval = 1s, .timeout = 100ms, .retries = 0}),
                     healthz::source<"other">([] { return healthz::ok(); }, {.interval = 1s, .timeout = 100ms, .retries = 0}));

struct queue {
    int length = 0;
    int probes = 0;
    outcome probe() { return ++probes, length < 3 ? healthz::ok() : healthz::error("too long"); }
};
struct bus {
    std::chrono::milliseconds told{};
    healthz::basic_outcome<256> probe(healthz::attempt a) {
        told = a.timeout;
        return healthz::error<256>("no acknowledge", std::string(200, 'x'));
    }
};

struct counter {
    int value = 0;
};
outcome count(void* context) {
    ++static_cast<counter*>(context)->value;
    return healthz::ok();
}

// Unbound it is a constant, and says so while compiling.
constexpr bool unbound_is_a_failure() {
    monitor<sources> m;
    m.poll(tick{0});
    return m.report()[0]->status == status::failed && m.report()[0]->error == "\"not bound\"";
}
static_assert(unbound_is_a_failure());

// All zeros before it begins, as ever: it needs no image in flash.
static_assert(std::is_trivially_destructible_v<monitor<sources>>);

}  // namespace

TEST_CASE("a slot is bound to an object, to a function, and to nothing") {
    monitor<sources> m;
    queue q;
    m.bind<"queue">(q);  // before the first poll
    for (tick now = 0; now < 5; ++now) m.poll(now);
    CHECK(m.report().is(0, status::ok));
    CHECK(m.report()[1].has_value());
    CHECK(m.report()[1]->error == "\"not bound\"");
    CHECK(q.probes == 1);

    bus b;
    m.bind<"bus">(b);
    CHECK(healthz::reached(tick{5}, m.next_poll()));
    m.poll(tick{5});  // at once, not after a second
    CHECK(m.report()[1]->error.size() > 200);
    CHECK(b.told == 100ms);

    q.length = 7;
    for (tick now = 6; now < 2500; ++now) m.poll(now);
    CHECK(m.report().is(0, status::ok));  // its fall is 3
    queue other{.length = 9};
    m.bind<"queue">(other);
    m.poll(tick{2500});
    CHECK(m.report()[0]->error == R"({"message":"too long"})");  // the first check of another one is its verdict

    counter c;
    m.bind<"queue">(&count, &c);
    m.poll(tick{2501});
    CHECK(m.report().is(0, status::ok));
    CHECK(c.value == 1);

    auto const probes = other.probes;
    m.unbind<"queue">();
    m.poll(tick{2502});
    CHECK(m.report()[0]->error == "\"not bound\"");
    for (tick now = 2503; now < 9000; ++now) m.poll(now);
    CHECK(other.probes == probes);
    CHECK(c.value == 1);
    CHECK(at_run_time(unbound_is_a_failure));
}
