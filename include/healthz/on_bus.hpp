// SPDX-License-Identifier: BSL-1.0
// Sources whose attempts must not be under way at the same time, such as sensors on one bus: on_bus<"i2c1">(prober).
// Part of the core.
#pragma once

#include "combine.hpp"
#include "complaint.hpp"
#include "depends_on.hpp"
#include "prober.hpp"
#include "source.hpp"
#include "text.hpp"
#include "when.hpp"

#include <string_view>

namespace healthz {

namespace detail {

/// A prober, and the name of the bus that it asks over.
template <fixed_string Bus, class Prober>
struct bus_user {
    Prober prober;
    constexpr char const* complaint() const { return healthz::detail::complaint_of(prober); }
};

// Inside of `depends_on` and `when`, too.
template <class Prober>
inline constexpr bool is_bus_user = false;
template <fixed_string Bus, class Prober>
inline constexpr bool is_bus_user<bus_user<Bus, Prober>> = true;
template <fixed_string Parent, class Prober>
inline constexpr bool is_bus_user<dependent<Parent, Prober>> = is_bus_user<Prober>;
template <class Condition, class Prober>
inline constexpr bool is_bus_user<conditional<Condition, Prober>> = is_bus_user<Prober>;

/// Whether a prober asks one thing at a time. A combination does if its members answer at once, one after the other.
template <class Prober>
inline constexpr bool asks_one_by_one = true;
template <combining How, class... Probers>
inline constexpr bool asks_one_by_one<combination<How, Probers...>> = immediate_prober<session_of<combination<How, Probers...>>> ||
                                                                      (sizeof...(Probers) == 1 && (asks_one_by_one<Probers> && ...));

}  // namespace detail

/// One of the sources that share a bus, or anything else that serves one at a time:
///
///     healthz::source<"imu">(healthz::on_bus<"i2c1">(imu{}), {.interval = 1s, .timeout = 20ms})
///
/// No two attempts of sources on `Bus` are under way at the same time. An attempt that would meet another one waits, before its condition
/// and its parent are asked, until the bus is free and who has waited longer has had his turn; its timeout counts from its start. It ends,
/// and the bus is free, with the outcome, or where the attempt is cancelled: at its deadline, or by maintenance. What it may have
/// to wait is part of `worst_case_detection`. A monitor keeps nothing for it in memory. Goes around `inverted`, `all_of` and `any_of`,
/// and inside or outside of `depends_on` and `when`.
/// Compile errors: two buses; a combination whose members are under way at the same time; a runner, which has no buses. Where the sources
/// are used: one that is alone on its bus; a bus for which the attempts, if each takes its timeout, need more time than there is.
template <fixed_string Bus, class Prober>
constexpr detail::bus_user<Bus, Prober> on_bus(Prober const& prober) {
    static_assert(!detail::is_bus_user<Prober>, "healthz: a source is on one bus: leave the other on_bus out");
    return {prober};
}

namespace detail {

/// A source on a bus.
template <fixed_string Name, fixed_string Bus, class Prober>
struct declared_source<Name, bus_user<Bus, Prober>> : declared_source<Name, Prober> {
    static_assert(asks_one_by_one<typename declared_source<Name, Prober>::prober_type>,
                  "healthz: the members of this source's combination would meet on its bus: declare a source for each of them");

    constexpr declared_source(bus_user<Bus, Prober> const& declared, health_check const& when)
        : declared_source<Name, Prober>{declared.prober, when} {}
};

template <fixed_string Name, fixed_string Bus, class Prober>
inline constexpr bool has_parent<declared_source<Name, bus_user<Bus, Prober>>> = has_parent<declared_source<Name, Prober>>;
template <fixed_string Name, fixed_string Bus, class Prober>
inline constexpr bool has_condition<declared_source<Name, bus_user<Bus, Prober>>> = has_condition<declared_source<Name, Prober>>;

/// The bus that a declared element is on, if on any; `name` is a type that shows it in complaints.
template <class Declared>
struct bus_of {
    static constexpr bool exists = false;
    static constexpr std::string_view text{};
};
template <fixed_string Name, fixed_string Bus, class Prober>
struct bus_of<declared_source<Name, bus_user<Bus, Prober>>> {
    static constexpr bool exists = true;
    using name = source_name<Bus>;
    static constexpr std::string_view text = Bus.view();
};
template <fixed_string Name, fixed_string Parent, class Prober>
struct bus_of<declared_source<Name, dependent<Parent, Prober>>> : bus_of<declared_source<Name, Prober>> {};
template <fixed_string Name, class Condition, class Prober>
struct bus_of<declared_source<Name, conditional<Condition, Prober>>> : bus_of<declared_source<Name, Prober>> {};

}  // namespace detail

}  // namespace healthz
