// SPDX-License-Identifier: BSL-1.0
// Probes for what supervises the program, in the words of Kubernetes: is it alive, may it be asked, has it started?
// Part of the core.
#pragma once

#include "../sources.hpp"
#include "../text.hpp"
#include "../view.hpp"
#include "selection.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace healthz {

namespace detail {

/// What the bodies of a probe can be at most: a line a source, a warning, a last line.
inline constexpr std::size_t longest_probe_line = 48, longest_probe_end = 256;
template <auto const& Sources>
inline constexpr std::size_t max_probe_size = [] {
    std::size_t size = longest_probe_end;
    for (auto const& row : rows_of<Sources>) size += row.name().size() + longest_probe_line;
    return size;
}();

inline constexpr std::array plain_text{std::string_view("text/plain; charset=utf-8")};

/// What a probe finds of a source. One that is off is not there, and counts for nothing.
enum class probe_finding : std::uint8_t { fails, passes, is_off };

/// One check of a probe.
struct probe_check {
    std::size_t index;
    probe_finding found;
};

/// The last segment of a path, by which a probe calls itself.
constexpr std::string_view last_segment(std::string_view path) {
    auto const slash = path.rfind('/');
    return slash == path.npos ? path : text_from(path, slash + 1);
}

constexpr bool is_excluded(view_data const& data, std::size_t index, std::string_view query) {
    bool excluded = false;
    healthz::detail::for_each_value(query, "exclude",
                                    [&](std::string_view coded) { excluded |= healthz::detail::decodes_to(coded, data.name(index)); });
    return excluded;
}
/// Names are for who shows the secret: to others, `exclude` would tell which there are.
constexpr bool is_excluded(open_data const&, std::size_t, std::string_view) { return false; }

/// Whether every check passes that is not excluded; of a group, so many of them, or all that are there if these are fewer.
template <class Data>
constexpr bool all_pass(Data const& data, view_request const& request, std::span<probe_check const> checks,
                        std::span<check_group const> groups) {
    auto const fails = [&](probe_check const& one) {
        return one.found == probe_finding::fails && !healthz::detail::is_excluded(data, one.index, request.query);
    };
    std::size_t i = 0;
    for (auto const& group : groups) {
        std::size_t present = 0, failed = 0;
        for (auto const end = i + group.count; i < end; ++i) {
            present += checks[i].found != probe_finding::is_off;
            failed += fails(checks[i]);
        }
        auto const least = group.least < present ? group.least : present;
        if (present - failed < least) return false;
    }
    for (; i < checks.size(); ++i)
        if (fails(checks[i])) return false;
    return true;
}

/// The line about a group.
template <class Sink>
constexpr void write_group(view_data const& data, view_request const& request, check_group const& group,
                           std::span<probe_check const> checks, Sink&& put) {
    if (group.names.empty() || group.least == group.count) return;
    put(healthz::detail::all_pass(data, request, checks, {&group, 1}) ? "[+]at least " : "[-]at least ");
    healthz::detail::put_number(group.least, put);
    std::string_view before = " of ";
    for (auto const name : group.names) {
        put(before);
        put(name);
        before = ", ";
    }
    put("\n");
}

/// The lines about each check, and of what was to be excluded and is none.
template <class Sink>
constexpr void write_checks(view_data const& data, view_request const& request, std::span<probe_check const> checks,
                            std::span<check_group const> groups, Sink&& put) {
    for (auto const& each : checks) {
        bool const excluded = healthz::detail::is_excluded(data, each.index, request.query);
        bool const fails = each.found == probe_finding::fails;
        put(excluded || !fails ? "[+]" : "[-]");
        put(data.name(each.index));
        put(excluded                              ? " excluded: ok\n"
            : fails                               ? " failed: reason withheld\n"
            : each.found == probe_finding::is_off ? " off: ok\n"
                                                  : " ok\n");
    }
    std::size_t first = 0;
    for (auto const& group : groups) {
        healthz::detail::write_group(data, request, group, checks.subspan(first, group.count), put);
        first += group.count;
    }
    bool unknown = false;
    healthz::detail::for_each_value(request.query, "exclude", [&](std::string_view coded) {
        for (auto const& each : checks)
            if (healthz::detail::decodes_to(coded, data.name(each.index))) return;
        unknown = true;
    });
    if (unknown) put("warn: some health checks cannot be excluded: no matches for them\n");
}
template <class Sink>
constexpr void write_checks(open_data const&, view_request const&, std::span<probe_check const>, std::span<check_group const>, Sink&&) {}

/// The whole body: "ok" where all is well and nothing more is asked.
template <class Data, class Sink>
constexpr void write_probe(std::string_view path, Data const& data, view_request const& request, std::span<probe_check const> checks,
                           std::span<check_group const> groups, bool passes, Sink&& put) {
    bool const verbose = healthz::detail::has_parameter(request.query, "verbose");
    if (passes && !verbose) return put("ok");
    healthz::detail::write_checks(data, request, checks, groups, put);
    put(healthz::detail::last_segment(path));
    put(passes ? " check passed\n" : " check failed\n");
}

/// What probes have in common. `Probe` says which sources it looks at, and when each passes.
template <class Probe>
struct probe_view {
    static constexpr healthz::access access = healthz::access::open;
    static constexpr auto& types = plain_text;
    template <class Data>
    constexpr unsigned status(Data const& data, view_request const& request) const {
        auto const checks = self().checks(data);
        return self().passes(data) && healthz::detail::all_pass(data, request, checks, groups<Data>()) ? 200 : 503;
    }
    template <class Data, std::invocable<std::string_view> Sink>
    constexpr void write(Data const& data, view_request const& request, Sink&& put) const {
        auto const checks = self().checks(data);
        healthz::detail::write_probe(self().path, data, request, checks, groups<Data>(), status(data, request) == 200, put);
    }

private:
    template <class Data>
    static constexpr std::span<check_group const> groups() {
        if constexpr (requires { Probe::template groups_of<Data>(); }) return Probe::template groups_of<Data>();
        else return {};
    }
    constexpr Probe const& self() const { return static_cast<Probe const&>(*this); }
};

/// The sources that are listed, or all where there is none, each with whether `passes` says so. Of one that is off nothing is asked, unless
/// the loop stands still that would see it come back.
template <auto... Chosen, class Data, class Passes>
constexpr auto checks_of(Data const& data, Passes passes) {
    auto const check = [&](std::size_t i) {
        if (data.is_off(i) && !data.is_stale(i)) return probe_check{i, probe_finding::is_off};
        return probe_check{i, passes(i) ? probe_finding::passes : probe_finding::fails};
    };
    if constexpr (sizeof...(Chosen) > 0) {
        constexpr auto& indices = Data::template chosen_of<Chosen...>::indices;
        std::array<probe_check, indices.size()> some{};
        for (std::size_t i = 0; i < some.size(); ++i) some[i] = check(indices[i]);
        return some;
    } else {
        std::array<probe_check, Data::count> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = check(i);
        return all;
    }
}

/// What `live` and `ready` have of what they list.
template <class Probe, bool Local, auto... Chosen>
struct choosing_view {
    template <auto const& Sources>
    static constexpr std::size_t max_size = (max_probe_size<Sources> + ... + choice<Sources, Chosen>::more_text);
    template <class Data>
    static constexpr std::span<check_group const> groups_of() {
        if constexpr (sizeof...(Chosen) > 0) return Data::template chosen_of<Chosen...>::groups;
        else return {};
    }
    /// What is wrong with the first that is wrong, and its name.
    template <auto const& Sources>
    static constexpr std::size_t first_flawed = [] {
        constexpr std::array<choice_flaw, sizeof...(Chosen) + 1> flaws{choice<Sources, Chosen>::flaw...};
        std::size_t i = 0;
        while (i < sizeof...(Chosen) && flaws[i] <= (Local ? choice_flaw::none : choice_flaw::remote)) ++i;
        return i;
    }();
    template <auto const& Sources>
    using flawed_choice = source_at<first_flawed<Sources>, choice<Sources, Chosen>..., void>;
};

}  // namespace detail

/// `GET /livez`: whether the program should go on, or be started again. 503 when the loop that checks stands still, which shows to a thread
/// that does not, and while one of the sources `Chosen` is not OK, unless it is in maintenance: what a restart may mend. Name none that it
/// cannot: one that asks over a network does not compile.
template <detail::chosen... Chosen>
struct live : detail::probe_view<live<Chosen...>>, detail::choosing_view<live<Chosen...>, true, Chosen...> {
    static constexpr std::string_view role = "live";
    std::string_view path = "/livez";

    constexpr live() = default;
    constexpr explicit live(std::string_view at) : path(at) {}

    template <class Data>
    constexpr auto checks([[maybe_unused]] Data const& data) const {
        if constexpr (sizeof...(Chosen) > 0)
            return detail::checks_of<Chosen...>(
                data, [&](std::size_t i) { return data.is_ok(i) || !data.status_of(i) || data.in_maintenance(i); });
        else return std::array<detail::probe_check, 0>{};
    }
    template <class Data>
    constexpr bool passes(Data const& data) const {
        return !data.any_stale();
    }
};

/// `GET /readyz`: whether the program may be asked. 503 while any of the sources `Chosen` (of all, where none is named) that is not off is
/// not OK, stale or not yet checked, and from the start of a drain.
template <detail::chosen... Chosen>
struct ready : detail::probe_view<ready<Chosen...>>, detail::choosing_view<ready<Chosen...>, false, Chosen...> {
    static constexpr std::string_view role = "ready";
    std::string_view path = "/readyz";

    constexpr ready() = default;
    constexpr explicit ready(std::string_view at) : path(at) {}

    template <class Data>
    constexpr auto checks(Data const& data) const {
        return detail::checks_of<Chosen...>(data, [&](std::size_t i) { return data.is_ok(i); });
    }
    template <class Data>
    constexpr bool passes(Data const& data) const {
        return !data.draining();
    }
};

/// `GET /startupz`: whether every source has been checked once, whatever that found.
struct startup : detail::probe_view<startup> {
    static constexpr std::string_view role = "startup";
    std::string_view path = "/startupz";
    template <auto const& Sources>
    static constexpr std::size_t max_size = detail::max_probe_size<Sources>;

    constexpr startup() = default;
    constexpr explicit startup(std::string_view at) : path(at) {}

    template <class Data>
    constexpr auto checks(Data const& data) const {
        return detail::checks_of<>(data, [&](std::size_t i) { return data.status_of(i).has_value() || data.is_off(i); });
    }
    template <class Data>
    constexpr bool passes(Data const&) const {
        return true;
    }
};

/// `GET /healthz` as Hasura's server answers it, so that manifests that were written for it work: 200 and `OK`, or 503 and `ERROR` when
/// the loop that checks stands still.
struct hello {
    static constexpr std::string_view role = "hello";
    std::string_view path = "/healthz";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr auto& types = detail::plain_text;
    template <auto const& Sources>
    static constexpr std::size_t max_size = 5;

    constexpr hello() = default;
    constexpr explicit hello(std::string_view at) : path(at) {}

    constexpr unsigned status(open_data const& data, view_request const&) const { return data.any_stale() ? 503 : 200; }
    template <std::invocable<std::string_view> Sink>
    constexpr void write(open_data const& data, view_request const& request, Sink&& put) const {
        put(status(data, request) == 200 ? "OK" : "ERROR");
    }
};

}  // namespace healthz
