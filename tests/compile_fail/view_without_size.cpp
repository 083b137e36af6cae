// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a view says how much it writes at most: template <auto const& Sources> static constexpr std::size_t max_size = ...
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

struct own_view {
    std::string_view path = "/own";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/plain")};
#ifdef TWIN
    template <auto const& Sources>
    static constexpr std::size_t max_size = 2;
#endif
    constexpr void write(healthz::open_data const&, healthz::view_request const&, auto&& put) const { put("ok"); }
};
constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
constexpr auto shown = healthz::views(own_view{});
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
