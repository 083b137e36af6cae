// SPDX-License-Identifier: BSL-1.0
// The contract's document as a view, one source of it, and all that is known of them.
// Part of the core.
#pragma once

#include "../endpoint.hpp"
#include "../outcome.hpp"
#include "../report.hpp"
#include "../verdict.hpp"
#include "../view.hpp"
#include "../write_json.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace healthz {

namespace detail {

inline constexpr std::size_t longest_verbose = 400;  // of what the record adds to a verdict

/// Puts a moment as JSON: a string, or null.
template <class Sink>
constexpr void put_moment(bool known, timestamp const& moment, Sink&& put) {
    if (!known) return put("null");
    char time[timestamp_size];
    healthz::write_timestamp(moment, time);
    put("\"");
    put(std::string_view(time, timestamp_size));
    put("\"");
}

/// Streams a verdict and what is known besides: its members, then those of the record.
template <class Sink>
constexpr void write_verbose(verdict const& v, view_data const& data, std::size_t index, Sink&& put) {
    auto const& known = data.record(index);
    constexpr std::array members{std::string_view(",\"checks\":{\"OK\":"), std::string_view(",\"TIMEOUT\":"),
                                 std::string_view(",\"FAILED\":"), std::string_view(",\"ERROR\":")};
    // All but the brace at its end.
    healthz::write_verdict(v, [&](std::string_view piece) { put(piece == after_timestamp ? std::string_view("\"") : piece); });
    put(",\"since\":");
    healthz::detail::put_moment(true, known.since, put);
    put(",\"last_check\":");
    healthz::detail::put_moment(known.checked, known.last_check, put);
    put(",\"last_ok\":");
    healthz::detail::put_moment(known.was_ok, known.last_ok, put);
    put(",\"duration\":");
    healthz::detail::put_seconds(known.took, put);
    put(",\"attempts\":");
    healthz::detail::put_number(known.attempts, put);
    for (std::size_t i = 0; i < members.size(); ++i) {
        put(members[i]);
        healthz::detail::put_number(known.checks[i], put);
    }
    put("},\"changes\":");
    healthz::detail::put_number(known.changes, put);
    put(known.maintenance ? ",\"maintenance\":true" : ",\"maintenance\":false");
    put(data.is_stale(index) ? ",\"stale\":true}" : ",\"stale\":false}");
}

}  // namespace detail

/// `GET /healthz/sources`: the document. Below it `/healthz/sources/NAME`, percent-encoded: the verdict of one source alone, 404 before
/// its first.
/// `?strict=true`: 503 unless all of that is OK. `?verbose=true`: with what is known of each source besides.
struct document {
    static constexpr std::string_view role = "document";
    std::string_view path = default_path;
    static constexpr healthz::access access = healthz::access::admin;
    static constexpr std::array types{std::string_view("application/json")};
    static constexpr bool has_parts = true;
    template <auto const& Sources>
    static constexpr std::size_t max_size = max_json_size<Sources> + size_of<Sources>* detail::longest_verbose;

    constexpr document() = default;
    constexpr explicit document(std::string_view at) : path(at) {}

    constexpr unsigned status(view_data const& data, view_request const& request) const {
        bool is_ok = data.report().all_ok();
        if (!request.rest.empty()) {
            auto const index = healthz::detail::index_of_coded(data.report(), request.rest);
            if (!index || !data.status_of(*index)) return 404;
            is_ok = data.report().is(*index, healthz::status::ok);
        }
        return !is_ok && asks(request, "strict") ? 503 : 200;
    }

    template <std::invocable<std::string_view> Sink>
    constexpr void write(view_data const& data, view_request const& request, Sink&& put) const {
        bool const verbose = asks(request, "verbose");
        if (!request.rest.empty()) {
            auto const index = healthz::detail::index_of_coded(data.report(), request.rest);
            if (index) write_one(data, *index, verbose, put);
        } else if (!verbose) {
            healthz::write_json(data.report(), put);
        } else {
            bool empty = true;
            for (std::size_t i = 0; i < data.size(); ++i) {
                if (!data.status_of(i)) continue;
                put(empty ? detail::before_first : detail::before_next);
                put(data.report().key(i));
                put(detail::after_key);
                write_one(data, i, true, put);
                empty = false;
            }
            put(empty ? detail::empty_document : detail::after_last);
        }
    }

private:
    static constexpr bool asks(view_request const& request, std::string_view name) {
        bool asked = false;
        healthz::detail::for_each_value(request.query, name, [&](std::string_view value) { asked |= value == "true"; });
        return asked;
    }

    template <class Sink>
    static constexpr void write_one(view_data const& data, std::size_t index, bool verbose, Sink&& put) {
        auto const v = data.report()[index];
        if (!v) return;
        if (verbose) healthz::detail::write_verbose(*v, data, index, put);
        else healthz::write_verdict(*v, put);
    }
};

}  // namespace healthz
