// SPDX-License-Identifier: BSL-1.0
// A slot in a declaration for an object that the program makes when it runs: bound<>, and `bind` of a monitor or runner.
// Part of the core.
#pragma once

#include "outcome.hpp"
#include "prober.hpp"
#include "sources.hpp"

#include <boost/hana/at.hpp>

#include <cstddef>
#include <type_traits>

namespace healthz {

namespace detail {

/// What is bound, as a monitor keeps it: a function and what it is called with.
template <std::size_t Capacity>
class bound_session {
public:
    using outcome_type = basic_outcome<Capacity>;
    using function = outcome_type (*)(void* context);

    constexpr bound_session() = default;
    template <class Settings>
    constexpr explicit bound_session(Settings const&) {}

    constexpr void bind(function called, void* context) {
        probe_ = called;
        context_ = context;
    }
    constexpr outcome_type probe() const { return probe_ != nullptr ? probe_(context_) : outcome_type::failed("not bound"); }

private:
    function probe_ = nullptr;
    void* context_ = nullptr;
};

}  // namespace detail

/// The prober of a source whose object is not a constant, such as a queue that `main` owns:
///
///     healthz::source<"queue">(healthz::bound<256>{}, {.interval = 1s})
///
/// `monitor::bind<"queue">` or `runner::bind<"queue">` says what probes it. Until then, and after `unbind`, it is FAILED, "not bound".
/// `Capacity` is the room for its error text in bytes, which what is bound must not exceed. A slot is the whole prober of its source,
/// inside of `depends_on` and `when`.
template <std::size_t Capacity = outcome::capacity>
struct bound {
    using session = detail::bound_session<Capacity>;
    static constexpr bool blocking = false;
    static constexpr char const* kind = "bound";
};

namespace detail {

template <class Prober>
inline constexpr bool is_bound = false;
template <std::size_t Capacity>
inline constexpr bool is_bound<bound<Capacity>> = true;

template <auto const& Sources, std::size_t Index>
using prober_at = typename std::remove_cvref_t<decltype(boost::hana::at_c<element_at<Sources, Index>>(Sources))>::prober_type;

/// Whether source `Index` is a slot, to which something can be bound with outcomes of `Capacity`. Compile errors: it is none; it has less
/// room. Of an index that is none `index_of` has told.
template <auto const& Sources, std::size_t Index, std::size_t Capacity>
constexpr auto require_bound() {
    if constexpr (Index < healthz::detail::count_in(Sources)) {
        using slot = prober_at<Sources, Index>;
        static_assert(is_bound<slot>, "healthz: to be bound, a source is declared with healthz::bound<>{}");
        if constexpr (is_bound<slot>) {
            constexpr bool has_room = Capacity <= outcome_of<slot>::capacity;
            static_assert(has_room,
                          "healthz: what is bound to this source has outcomes with more room than its slot: write healthz::bound<256>{} or "
                          "the like there");
            return has_room;
        }
    }
    return false;
}

}  // namespace detail

}  // namespace healthz
