// SPDX-License-Identifier: BSL-1.0
// The probers of a declaration side by side in flash, and their sessions in a monitor's memory.
// Part of the core.
#pragma once

#include "bound.hpp"
#include "complaint.hpp"
#include "declaration.hpp"
#include "each.hpp"
#include "prober.hpp"
#include "source.hpp"
#include "sources.hpp"
#include "text.hpp"

#include <boost/hana/tuple.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace healthz::detail {

/// A prober that keeps nothing: what it says depends on its settings and on the hardware only, and all that it offers is
/// const. It stays in flash; any other is copied into the monitor, or opens its session there, in the first `poll`.
template <class Prober>
concept stateless_prober = std::is_same_v<session_of<Prober>, Prober> &&
    (immediate_prober<Prober const> || cooperative_prober<Prober const>);

// What probes, as a table can point to it without knowing its type.
struct any_session {};

// A prober in flash; and one base class an index.
template <class Prober>
struct kept_prober : any_session {
    Prober session;
    constexpr explicit kept_prober(Prober const& declared) : session(declared) {}
};
template <std::size_t Index, class Prober>
struct prober_slot : kept_prober<Prober> {
    constexpr explicit prober_slot(Prober const& declared) : kept_prober<Prober>(declared) {}
};

// A session that is opened later, so that a monitor begins as zeros and its memory needs no image in flash. A std::optional
// would do, for more memory and 19 ms of compile time a type.
template <class Session, bool Trivial = std::is_trivially_destructible_v<Session>>
struct kept_session : any_session {
    union {
        char closed;
        Session session;
    };
    constexpr kept_session() : closed(0) {}
    template <class Prober>
    constexpr void open(Prober const& prober) {
        std::construct_at(&session, prober);
    }
};
template <class Session>
struct kept_session<Session, false> : any_session {
    union {
        char closed;
        Session session;
    };
    bool is_open = false;
    constexpr kept_session() : closed(0) {}
    constexpr ~kept_session() {
        if (is_open) std::destroy_at(&session);
    }
    template <class Prober>
    constexpr void open(Prober const& prober) {
        if (is_open) return;  // since one after it threw
        std::construct_at(&session, prober);
        is_open = true;
    }
};
// Open from the start: it may be bound before the first `poll`.
template <std::size_t Capacity>
struct kept_session<bound_session<Capacity>, true> : any_session {
    bound_session<Capacity> session;
    template <class Prober>
    constexpr void open(Prober const&) {}
};
template <std::size_t Index, class Prober, bool Stateless = stateless_prober<Prober>>
struct session_slot : kept_session<session_of<Prober>> {};
template <std::size_t Index, class Prober>
struct session_slot<Index, Prober, true> {};

// The probers of a family, and their sessions: as one of the bank's, whose sources share an index.
template <class Prober, std::size_t Count>
struct family_probers {};
template <class Kept>
inline constexpr bool is_family_kept = false;
template <class Prober, std::size_t Count>
inline constexpr bool is_family_kept<family_probers<Prober, Count>> = true;
template <std::size_t Index, class Prober, std::size_t Count>
struct prober_slot<Index, family_probers<Prober, Count>> : any_session {
    std::array<kept_prober<Prober>, Count> members;
    template <class Members>
    constexpr explicit prober_slot(Members const& declared) : prober_slot(declared, std::make_index_sequence<Count>()) {}

private:
    template <class Members, std::size_t... Member>
    constexpr prober_slot(Members const& declared, std::index_sequence<Member...>)
        : members{kept_prober<Prober>(declared[Member].prober)...} {}
};
template <std::size_t Index, class Prober, std::size_t Count, bool Stateless>
struct session_slot<Index, family_probers<Prober, Count>, Stateless> {
    std::array<kept_session<session_of<Prober>>, Count> members;
};
template <std::size_t Index, class Prober, std::size_t Count, bool Stateless>
    requires stateless_prober<Prober>
struct session_slot<Index, family_probers<Prober, Count>, Stateless> {
};

// What stands for a declared element in the bank.
template <fixed_string Name, class Prober>
constexpr auto const& kept_of(declared_source<Name, Prober> const& declared) {
    return declared.prober;
}
template <fixed_string Name, class Names, class Prober>
constexpr auto const& kept_of(declared_family<Name, Names, Prober> const& declared) {
    return declared.members;
}
template <class Source>
struct kept_as {
    using type = typename Source::prober_type;
};
template <fixed_string Name, class Names, class Prober>
struct kept_as<declared_family<Name, Names, Prober>> {
    using type = family_probers<typename declared_family<Name, Names, Prober>::prober_type, Names::count>;
};

/// All probers side by side, and all sessions, one base class an index: going through the Hana tuple just once, to unpack it
/// into these, keeps compile time linear.
template <class Indices, class... Probers>
struct bank;
template <std::size_t... Index, class... Probers>
struct bank<std::index_sequence<Index...>, Probers...> : prober_slot<Index, Probers>... {
    struct sessions : session_slot<Index, Probers>... {};

    template <class... Sources>
    constexpr explicit bank(Sources const&... declared) : prober_slot<Index, Probers>(healthz::detail::kept_of(declared))... {}
};

/// The index of the first element with a coroutine prober, or their number.
template <class... Sources>
inline constexpr std::size_t first_coroutine = [] {
    bool const coroutines[] = {
        coroutine_prober<session_of<typename Sources::prober_type>>...};  // a fold of Clang's has 256 operands at most
    std::size_t i = 0;
    while (i < sizeof...(Sources) && !coroutines[i]) ++i;
    return i;
}();

/// What must hold of the sources of a monitor besides.
template <class... Sources>
constexpr auto require_pollable(boost::hana::tuple<Sources...> const&) {
    constexpr auto coroutine = first_coroutine<Sources...>;
    if constexpr (coroutine < sizeof...(Sources)) {
        static_assert(holds_for<element_name_at<coroutine, Sources...>>,
                      "healthz: the prober of this source is a coroutine; run it with healthz::runner, not with a monitor");
    }
    return true;
}

struct make_bank {
    template <class... Sources>
    constexpr auto operator()(Sources const&... declared) const {
        return bank<std::index_sequence_for<Sources...>, typename kept_as<Sources>::type...>(declared...);
    }
};

template <auto const& Sources>
inline constexpr auto bank_of = boost::hana::unpack(Sources, make_bank{});

}  // namespace healthz::detail
