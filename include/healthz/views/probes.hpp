// SPDX-License-Identifier: BSL-1.0
// Probes for what supervises the program, in the words of Kubernetes: is it alive, may it be asked, has it started?
// Part of the core.
#pragma once

#include "../view.hpp"

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

/// One check of a probe.
struct probe_check {
    std::size_t index;
    bool passes;
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

/// Whether every check passes that is not excluded.
template <class Data>
constexpr bool all_pass(Data const& data, view_request const& request, std::span<probe_check const> checks) {
    for (auto const& each : checks)
        if (!each.passes && !healthz::detail::is_excluded(data, each.index, request.query)) return false;
    return true;
}

/// The lines about each check, and of what was to be excluded and is none.
template <class Sink>
constexpr void write_checks(view_data const& data, view_request const& request, std::span<probe_check const> checks, Sink&& put) {
    for (auto const& each : checks) {
        bool const excluded = healthz::detail::is_excluded(data, each.index, request.query);
        put(each.passes || excluded ? "[+]" : "[-]");
        put(data.name(each.index));
        put(excluded ? " excluded: ok\n" : each.passes ? " ok\n" : " failed: reason withheld\n");
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
constexpr void write_checks(open_data const&, view_request const&, std::span<probe_check const>, Sink&&) {}

/// The whole body: "ok" where all is well and nothing more is asked.
template <class Data, class Sink>
constexpr void write_probe(std::string_view path, Data const& data, view_request const& request, std::span<probe_check const> checks,
                           bool passes, Sink&& put) {
    bool const verbose = healthz::detail::has_parameter(request.query, "verbose");
    if (passes && !verbose) return put("ok");
    healthz::detail::write_checks(data, request, checks, put);
    put(healthz::detail::last_segment(path));
    put(passes ? " check passed\n" : " check failed\n");
}

/// What probes have in common. `Probe` says which sources it looks at, and when each passes.
template <class Probe>
struct probe_view {
    static constexpr healthz::access access = healthz::access::open;
    static constexpr auto& types = plain_text;
    template <auto const& Sources>
    static constexpr std::size_t max_size = max_probe_size<Sources>;

    template <class Data>
    constexpr unsigned status(Data const& data, view_request const& request) const {
        auto const checks = self().checks(data);
        return self().passes(data) && healthz::detail::all_pass(data, request, checks) ? 200 : 503;
    }
    template <class Data, std::invocable<std::string_view> Sink>
    constexpr void write(Data const& data, view_request const& request, Sink&& put) const {
        auto const checks = self().checks(data);
        healthz::detail::write_probe(self().path, data, request, checks, status(data, request) == 200, put);
    }

private:
    constexpr Probe const& self() const { return static_cast<Probe const&>(*this); }
};

/// The sources of these names, or all where there is none, each with whether `passes` says so.
template <fixed_string... Names, class Data, class Passes>
constexpr auto checks_of([[maybe_unused]] Data const& data, Passes passes) {
    if constexpr (sizeof...(Names) > 0) {
        return std::array{probe_check{Data::template index<Names>(), passes(Data::template index<Names>())}...};
    } else {
        std::array<probe_check, Data::count> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = {i, passes(i)};
        return all;
    }
}

}  // namespace detail

/// `GET /livez`: whether the program should go on, or be started again. 503 when the loop that checks stands still, which shows to a thread
/// that does not, and while one of the sources `Names` is not OK, unless it is in maintenance: what a restart may mend. Name none that it
/// cannot: one that asks over a network does not compile.
template <fixed_string... Names>
struct live : detail::probe_view<live<Names...>> {
    static constexpr std::string_view role = "live";
    std::string_view path = "/livez";

    constexpr live() = default;
    constexpr explicit live(std::string_view at) : path(at) {}

    /// Compile errors: no such source; one that asks over a network.
    static constexpr std::array<std::string_view, sizeof...(Names)> named{Names.view()...};
    static constexpr bool names_local = true;

    template <class Data>
    constexpr auto checks([[maybe_unused]] Data const& data) const {
        if constexpr (sizeof...(Names) > 0)
            return detail::checks_of<Names...>(
                data, [&](std::size_t i) { return data.is_ok(i) || !data.status_of(i) || data.in_maintenance(i); });
        else return std::array<detail::probe_check, 0>{};
    }
    template <class Data>
    constexpr bool passes(Data const& data) const {
        return !data.any_stale();
    }
};

/// `GET /readyz`: whether the program may be asked. 503 while any of the sources `Names` (of all, where none is named) that is not off is not OK, stale or not
/// yet checked, and from the start of a drain.
template <fixed_string... Names>
struct ready : detail::probe_view<ready<Names...>> {
    static constexpr std::string_view role = "ready";
    std::string_view path = "/readyz";

    constexpr ready() = default;
    constexpr explicit ready(std::string_view at) : path(at) {}

    /// Compile error: no such source.
    static constexpr std::array<std::string_view, sizeof...(Names)> named{Names.view()...};

    template <class Data>
    constexpr auto checks(Data const& data) const {
        return detail::checks_of<Names...>(data, [&](std::size_t i) { return data.is_ok(i) || (data.is_off(i) && !data.is_stale(i)); });
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
