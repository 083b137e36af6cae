// SPDX-License-Identifier: BSL-1.0
// A thousand polls of a monitor of SOURCES sources, for their instructions to be counted: with nothing due, or with DUE.
#include <healthz.hpp>

using namespace std::chrono_literals;

template <std::size_t Index>
constexpr char name_of[] = {'s', '0' + Index / 100, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};
constexpr auto declare = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return healthz::sources(healthz::source<name_of<Index>>(healthz::immediate_archetype{}, {.interval = 1000s, .retries = 0})...);
};
constexpr auto sources = declare(std::make_index_sequence<SOURCES>());

static healthz::monitor<sources> monitor;

[[gnu::noinline]] void poll_now(healthz::tick now);
void poll_now(healthz::tick now) { monitor.poll(now); }

int main() {
    for (healthz::tick t = 0; t < SOURCES; ++t) monitor.poll(t);  // all first checks
    if (monitor.report().pending() != 0) return 1;
    for (healthz::tick i = 0; i < 1000; ++i) {
#ifdef DUE
        poll_now(i * 1000 * 1000);
#else
        poll_now(SOURCES + i);
#endif
    }
}
