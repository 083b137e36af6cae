// SPDX-License-Identifier: BSL-1.0
// What a device shows of its sources: the answers of a site, written anew for each request, without a heap and without threads.
// Part of the core.
#pragma once

#include "credentials.hpp"
#include "decide_view.hpp"
#include "declaration.hpp"
#include "endpoint.hpp"
#include "text.hpp"
#include "view.hpp"
#include "views/table.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace healthz {

namespace detail {

/// Where text goes, whatever takes it: one type for all sinks, so that each view is compiled once.
class text_sink {
public:
    template <class Sink>
    constexpr explicit text_sink(Sink& to)
        : to_(&to), put_([](void* sink, std::string_view piece) { (*static_cast<Sink*>(sink))(piece); }) {}

    void operator()(std::string_view piece) const { put_(to_, piece); }
    // A literal, whose size the compiler knows.
    template <std::size_t Size>
    void operator()(char const (&piece)[Size]) const {
        put_(to_, {piece, Size - 1});
    }

private:
    void* to_;
    void (*put_)(void*, std::string_view);
};

}  // namespace detail

/// An answer without its bytes. Views into the request.
struct direct_answer {
    detail::view_decision found;
    unsigned status = 0;
    std::string_view type{};  ///< the field Content-Type
    bool has_body = true;     ///< false for HEAD
    bool for_browser = false;
};

/// The views `Views` of `Sources` for one loop: it keeps nothing, and has no member. `Policy` says who may see the views whose access is
/// `admin`: an object with static storage, such as `secret_digests`. Never allocates; takes `Credentials` bytes of stack for decoded
/// Basic credentials, and refuses longer ones.
template <auto const& Sources, auto const& Views, auto const& Policy, std::size_t Credentials = 256>
class direct_site {
    static_assert(healthz::detail::require_declaration<Sources>(Sources) && healthz::detail::require_views<Sources, Views>(Views));
    static constexpr auto& entries = detail::entries_of<Views>;

public:
    /// Decides the answer to a request, by what `monitor` knows: of `Sources`, and with the option `recorded`. Starts no probe.
    template <class Monitor>
    static direct_answer answer_to(site_request const& request, Monitor const& monitor) {
        std::array<char, Credentials> buffer;
        auto const policy_of = [](std::size_t) -> auto const& { return Policy; };
        direct_answer result{.found = healthz::detail::decide_view(request, entries, policy_of, buffer)};
        for (char volatile& each : buffer) each = '\0';  // of the password nothing stays behind
        result.has_body = request.method != "HEAD";
        result.for_browser = healthz::detail::is_for_browser(request);
        if (result.found.how == answer::document) {
            auto const from = source(monitor);
            healthz::detail::visit_view<Sources, Views>(result.found, from, [&result](auto const& view, auto const& data) {
                result.status = healthz::detail::status_of_view(view, data, result.found.request);
            });
            if (result.status != 404) {
                result.type = entries[result.found.view].types[result.found.request.type];
                return result;
            }
            result.found.how = answer::not_found;
        }
        return refused(result);
    }

    /// The answer to what is no request: malformed, too large, too late, or for a host that is not served.
    static constexpr direct_answer refusal(answer how) { return refused({.found = {.how = how}}); }

    /// Streams the body into `put`, which is called with a `std::string_view` for each piece. The monitor must be as it was when the answer
    /// was decided, and so must the request be. Also for HEAD, whose Content-Length is its size: ask `has_body` whether it is to be sent.
    template <class Monitor, std::invocable<std::string_view> Sink>
    static void write_body(direct_answer const& a, Monitor const& monitor, Sink&& put) {
        if (a.found.how != answer::document) return put(healthz::error_of(a.found.how).body);
        healthz::detail::visit_view<Sources, Views>(
            a.found, source(monitor),
            [&a, to = detail::text_sink(put)](auto const& view, auto const& data) { view.write(data, a.found.request, to); });
    }

    /// Streams all in front of a body of `body_size` bytes, up to the empty line. `fields` are further header fields as whole lines, such as
    /// a `date_field`.
    template <std::invocable<std::string_view> Sink>
    static void write_head(direct_answer const& a, std::size_t body_size, Sink&& put, std::string_view fields = {}) {
        write_head_to(a, body_size, detail::text_sink(put), fields);
    }

    /// Streams the whole response. Writes the body twice, of which once is to count: where there is memory for it, keep a body and write
    /// the head when its size is known.
    template <class Monitor, std::invocable<std::string_view> Sink>
    static void write_response(direct_answer const& a, Monitor const& monitor, Sink&& put, std::string_view fields = {}) {
        std::size_t size = 0;
        write_body(a, monitor, [&size](std::string_view piece) { size += piece.size(); });
        write_head(a, size, put, fields);
        if (a.has_body) write_body(a, monitor, put);
    }

private:
    template <class Monitor>
    static detail::view_source source(Monitor const& monitor) {
        return {monitor.report().view(), monitor.records(), detail::facts_of<Sources>};
    }

    static constexpr direct_answer refused(direct_answer result) {
        result.status = healthz::error_of(result.found.how).status;
        result.type = detail::json_type;
        return result;
    }

    static void write_head_to(direct_answer const& a, std::size_t body_size, detail::text_sink to, std::string_view fields) {
        bool const is_view = a.found.how == answer::document;
        detail::decimal_text const status(a.status), size(body_size);
        std::string_view const pieces[] = {
            detail::http_version,
            status,
            detail::http_space,
            is_view ? healthz::detail::reason_of(a.status) : healthz::error_of(a.found.how).reason,
            detail::http_line_end,
            is_view                            ? detail::field_lines_of_views<Views>[a.found.view]
            : a.status == 401 && a.for_browser ? detail::field_lines_of<detail::browser_challenge>
                                               : healthz::detail::field_of(a.found.how),
            fields,
            detail::before_type,
            a.type,
            detail::after_type,
            size,
            detail::http_header_end,
        };
        for (auto const& piece : pieces) to(piece);
    }
};

}  // namespace healthz
