// SPDX-License-Identifier: BSL-1.0
// A page for people: in one answer, useful without script, and the same as a table in plain text for a terminal.
// Part of the core.
#pragma once

#include "../outcome.hpp"
#include "../record.hpp"
#include "../text.hpp"
#include "../view.hpp"
#include "assets.hpp"
#include "markup.hpp"
#include "ranks.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

namespace healthz {

namespace detail {

/// The strip of the last checks, the oldest first: a bar for each, higher the worse it was. One path for each status that there is.
template <class Sink>
constexpr void put_strip(record const& known, Sink&& put) {
    constexpr std::string_view classes[] = {"k", "t", "f", "e"}, middles[] = {" 13h", " 11h", " 9h", " 7h"};
    std::size_t const kept = known.count() < record::recent_size ? known.count() : record::recent_size;
    put("<svg class=r role=img viewBox=\"0 0 128 16\" preserveAspectRatio=none aria-label=\"last ");
    healthz::detail::put_number(kept, put);
    put(" checks:");
    std::size_t counts[4] = {};
    for (std::size_t age = 0; age < kept; ++age) ++counts[static_cast<std::size_t>(*known.found(age))];
    for (std::size_t s = 0; s < 4; ++s) {
        if (counts[s] == 0) continue;
        put(" ");
        healthz::detail::put_number(counts[s], put);
        put(" ");
        put(to_string(static_cast<status>(s)));
    }
    put("\">");
    for (std::size_t s = 0; s < 4; ++s) {
        if (counts[s] == 0) continue;
        put("<path class=");
        put(classes[s]);
        put(" d=\"");
        for (std::size_t age = kept; age > 0;) {  // a line for each run of them
            auto const begin = age;
            while (age > 0 && known.found(age - 1) == static_cast<status>(s)) --age;
            if (begin == age) {
                --age;
                continue;
            }
            put("M");
            healthz::detail::put_number(4 * (record::recent_size - begin), put);
            put(middles[s]);
            healthz::detail::put_number(4 * (begin - age), put);
        }
        put("\"/>");
    }
    put("</svg>");
}

template <class Sink>
constexpr void put_term(std::string_view term, Sink&& put) {
    put("<dt>");
    put(term);
    put("<dd>");
}

template <class Sink>
constexpr void put_source(view_data const& data, std::size_t i, std::size_t rank, Sink&& put) {
    auto const html = [&put](std::string_view text) { healthz::detail::put_html(text, put); };
    auto const& state = page_states[rank];
    auto const& known = data.record(i);
    auto const verdict = data.report()[i];
    put("<li class=");
    put(state.css);
    put(" data-n=\"");
    healthz::detail::put_number(i, put);
    put("\"><h2>");
    html(data.name(i));
    put("</h2><p class=s><svg viewBox=\"0 0 16 16\" aria-hidden=true><path d=\"");
    put(state.shape);
    put("\"/></svg>");
    put(state.word);
    auto const is_old = rank == static_cast<std::size_t>(page_rank::stale);
    if (is_old && verdict) {
        put(", last ");
        put(to_string(verdict->status));
    }
    put("</p>");
    if (verdict) {
        auto const error = healthz::detail::parts_of_error(verdict->error);
        if (!error.message.empty() && rank != static_cast<std::size_t>(page_rank::maintenance)) {
            put("<p class=m>");
            healthz::detail::read_json_string(error.message, html);
            put("</p>");
        }
        if (!error.extra.empty()) {
            put("<details><summary>Details</summary><pre>");
            if (error.extra.front() == '"') healthz::detail::read_json_string(text_from(error.extra, 1), html);
            else html(error.extra);
            put("</pre></details>");
        }
        put("<dl>");
        healthz::detail::put_term("since", put);
        healthz::detail::put_time(known.since, put);
        if (known.checked) {
            healthz::detail::put_term("checked", put);
            healthz::detail::put_time(known.last_check, put);
            healthz::detail::put_term("took", put);
            healthz::detail::put_duration(known.took, put);
            if (known.attempts > 1) {
                put(", ");
                healthz::detail::put_number(known.attempts, put);
                put(" attempts");
            }
        }
        if (*data.status_of(i) != status::ok && known.was_ok) {
            healthz::detail::put_term("last OK", put);
            healthz::detail::put_time(known.last_ok, put);
        }
        put("</dl>");
    }
    if (known.checked) healthz::detail::put_strip(known, put);
    put("</li>");
}

template <class Sink>
constexpr void write_html(view_data const& data, Sink&& put) {
    auto const counts = healthz::detail::count_ranks(data);
    std::size_t worst = 0;
    while (worst + 1 < counts.size() && counts[worst] == 0) ++worst;
    constexpr std::string_view colors[] = {"c00020", "7030c0", "b07000", "707070", "707070", "7030c0", "108030", "707070"};
    put("<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\"><title>");
    healthz::detail::put_summary(data, put);
    put("</title><link rel=icon href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%23");
    put(colors[worst]);
    put("' d='");
    put(page_states[worst].shape);
    put("'/%3E%3C/svg%3E\"><style>");
    put(page_style);
    put("</style></head><body><main><header><h1><span role=status>");
    healthz::detail::put_summary(data, put);
    put("</span></h1><p>Times are UTC. <a href=\"?\">Reload</a></p></header><ol>");
    healthz::detail::for_each_by_rank(data, [&](std::size_t i, std::size_t rank) { healthz::detail::put_source(data, i, rank, put); });
    put("</ol></main><script>");
    put(page_script);
    put("</script></body></html>\n");
}

/// The number of characters, for columns.
constexpr std::size_t characters_in(std::string_view text) {
    std::size_t count = 0;
    for (char const c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

template <class Sink>
constexpr void put_blanks(std::size_t count, Sink&& put) {
    for (; count > 0; --count) put(" ");
}

template <class Sink>
constexpr void write_table(view_data const& data, Sink&& put) {
    constexpr std::size_t state_width = 16, widest_name = 64;  // a longer one moves its own line
    std::size_t name_width = 6;
    for (std::size_t i = 0; i < data.size(); ++i) {
        auto const width = healthz::detail::characters_in(data.report().key(i));
        if (width > name_width) name_width = width < widest_name ? width : widest_name;
    }
    healthz::detail::put_summary(data, put);
    put("\n\nSTATUS          SOURCE");
    healthz::detail::put_blanks(name_width - 6, put);
    put("  SINCE (UTC)          CHECKED (UTC)        TOOK     MESSAGE\n");
    healthz::detail::for_each_by_rank(data, [&](std::size_t i, std::size_t rank) {
        auto const& known = data.record(i);
        auto const verdict = data.report()[i];
        auto const word = page_states[rank].word;
        put(word);
        healthz::detail::put_blanks(state_width - word.size(), put);
        auto const key = data.report().key(i);
        healthz::detail::put_terminal(key, put);
        if (verdict) {
            auto const width_of_name = healthz::detail::characters_in(key);
            healthz::detail::put_blanks((width_of_name < name_width ? name_width - width_of_name : 0) + 2, put);
            healthz::detail::put_time(known.since, put);
            if (known.checked) {
                put("  ");
                healthz::detail::put_time(known.last_check, put);
                put("  ");
                std::size_t width = 0;
                healthz::detail::put_duration(known.took, [&](std::string_view piece) {
                    width += piece.size();
                    put(piece);
                });
                auto const error = healthz::detail::parts_of_error(verdict->error);
                if (!error.message.empty()) {
                    healthz::detail::put_blanks(width < 9 ? 9 - width : 1, put);
                    healthz::detail::put_terminal(error.message, put);
                }
            }
        }
        put("\n");
    });
}

/// What a source can take on the page beside its name and its error, and how much longer HTML makes text at most.
inline constexpr std::size_t longest_page_source = 1000 + record::recent_size * 9, html_growth = 6;

}  // namespace detail

/// `GET /healthz/page`: for people, in a browser as HTML, else as a table in plain text.
struct page {
    static constexpr std::string_view role = "page";
    std::string_view path = "/healthz/page";
    static constexpr healthz::access access = healthz::access::admin;
    static constexpr std::array types{std::string_view("text/plain; charset=utf-8"), std::string_view("text/html; charset=utf-8")};
    /// Header fields besides.
    static constexpr std::array fields{std::pair(std::string_view("Content-Security-Policy"), detail::page_policy),
                                       std::pair(std::string_view("Referrer-Policy"), std::string_view("no-referrer"))};
    template <auto const& Sources>
    static constexpr std::size_t max_size = [] {
        std::size_t size = detail::page_style.size() + detail::page_script.size() + 2000;
        for (auto const& row : detail::rows_of<Sources>)
            size += detail::longest_page_source + detail::html_growth * (row.name().size() + row.text_capacity);
        return size;
    }();

    constexpr page() = default;
    constexpr explicit page(std::string_view at) : path(at) {}

    template <std::invocable<std::string_view> Sink>
    constexpr void write(view_data const& data, view_request const& request, Sink&& put) const {
        if (request.type == 1) healthz::detail::write_html(data, put);
        else healthz::detail::write_table(data, put);
    }
};

}  // namespace healthz
