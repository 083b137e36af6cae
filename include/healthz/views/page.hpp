// SPDX-License-Identifier: BSL-1.0
// A page for people: in one answer, useful without script, and the same as a table in plain text for a terminal.
// Part of the core.
#pragma once

#include "../base64.hpp"
#include "../sha256.hpp"
#include "../view.hpp"
#include "../write_json.hpp"

namespace healthz {

namespace detail {

inline constexpr std::string_view page_style =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--card:#f6f8fa;--ok:#116329;--timeout:#7d4e00;"
    "--failed:#6639ba;--error:#a40e26}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9da7b1;--line:#30363d;--card:#161b22;--ok:#56d364;"
    "--timeout:#e3b341;--failed:#d2a8ff;--error:#ff9b94}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif}"
    "main{max-width:110rem;margin:auto;padding:1rem}"
    "h1{font-size:1.6rem;margin:0}"
    "h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}"
    "p,dl,ol,pre{margin:0}"
    "header{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;align-items:baseline;margin-bottom:1rem}"
    "header p,label,dt,summary{color:var(--dim)}"
    "a{color:inherit}"
    "ol{list-style:none;padding:0;display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}"
    "li{background:var(--card);border:1px solid var(--line);border-left:.4rem solid var(--c);border-radius:.4rem;padding:.6rem .8rem}"
    ".k{--c:var(--ok)}.t{--c:var(--timeout)}.f{--c:var(--failed)}.e{--c:var(--error)}.n{--c:var(--dim)}"
    ".s{display:flex;gap:.5rem;align-items:center;color:var(--c);font-weight:600}"
    ".s svg{width:1em;height:1em;flex:none;fill:currentColor}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem;font-size:.875rem;margin-top:.3rem;font-variant-numeric:tabular-nums}"
    "dd{margin:0}"
    ".m{margin-top:.3rem;overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8125rem}"
    ".r{display:block;width:100%;height:1.2rem;margin-top:.4rem}"
    ".r path{fill:none;stroke:var(--c);stroke-dasharray:3 1}"
    "@media(max-width:30rem){h1{font-size:1.3rem}}";

inline constexpr std::string_view page_script =
    "'use strict';(()=>{"
    "const label=document.createElement('label'),box=document.createElement('input');box.type='checkbox';box.checked=true;"
    "label.append(box,' Update every 5 seconds');const note=document.createElement('p');note.setAttribute('role','status');"
    "const place=()=>{const h=document.querySelector('header');h.append(label,note)};place();"
    "const open=()=>new Set([...document.querySelectorAll('details[open]')].map(d=>d.closest('li').dataset.n));"
    "const update=async()=>{if(!box.checked||document.hidden)return;try{"
    "const a=await fetch(location.href,{headers:{Accept:'text/html'},cache:'no-store',credentials:'same-origin'});"
    "if(!a.ok)throw new Error(a.status);"
    "const d=new DOMParser().parseFromString(await a.text(),'text/html'),m=d.querySelector('main'),was=open();"
    "if(!m)throw new Error('no page');"
    "for(const e of m.querySelectorAll('details'))e.open=was.has(e.closest('li').dataset.n);"
    "const focus=document.activeElement===box;document.querySelector('main').replaceWith(m);place();if(focus)box.focus();"
    "document.title=d.title;document.querySelector('link[rel=icon]').href=d.querySelector('link[rel=icon]').href;note.textContent=''"
    "}catch(e){if(!note.textContent)note.textContent='No answer since '+new Date().toLocaleTimeString()}};"
    "setInterval(update,5000);document.addEventListener('visibilitychange',update)})()";

/// The hash of a text as a content security policy has it: the browser takes only the text that the compiler saw.
template <std::string_view const& Text>
inline constexpr auto source_hash = to_base64(sha256(Text));

/// The policy of the page, written by the compiler from what it allows.
inline constexpr auto page_policy_text = [] {
    constexpr std::string_view parts[] = {"default-src 'none'; style-src 'sha256-", {source_hash<page_style>.data(), source_hash<page_style>.size()},
                                          "'; script-src 'sha256-", {source_hash<page_script>.data(), source_hash<page_script>.size()},
                                          "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"};
    constexpr auto size = [&] {
        std::size_t all = 0;
        for (auto const part : parts) all += part.size();
        return all;
    }();
    std::array<char, size> text{};
    char* out = text.data();
    for (auto const part : parts) out = copy_text(part, out);
    return text;
}();
inline constexpr std::string_view page_policy = {page_policy_text.data(), page_policy_text.size()};

/// Puts `text` as text of HTML or the value of an attribute in quotes. What is no UTF-8, or a control character, becomes U+FFFD.
template <class Sink>
constexpr void put_html(std::string_view text, Sink&& put) {
    std::size_t plain = 0;
    auto const flush = [&] {
        if (plain > 0) put(text_until(text, plain));
        text = text_from(text, plain);
        plain = 0;
    };
    while (plain < text.size()) {
        auto const c = static_cast<unsigned char>(text[plain]);
        std::string_view instead;
        auto length = utf8_length(text_from(text, plain));
        if (c == '&') instead = "&amp;";
        else if (c == '<') instead = "&lt;";
        else if (c == '>') instead = "&gt;";
        else if (c == '"') instead = "&quot;";
        else if (c == '\'') instead = "&#39;";
        else if (length == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) instead = "\xEF\xBF\xBD";
        if (instead.empty()) {
            plain += length;
            continue;
        }
        flush();
        put(instead);
        text = text_from(text, 1);
    }
    flush();
}

/// Calls `put` with the characters of a JSON string's inside, and returns the text behind its closing quote.
template <class Sink>
constexpr std::string_view read_json_string(std::string_view json, Sink&& put) {
    while (!json.empty()) {
        std::size_t plain = 0;
        while (plain < json.size() && json[plain] != '"' && json[plain] != '\\') ++plain;
        if (plain > 0) put(text_until(json, plain));
        json = text_from(json, plain);
        if (json.empty()) break;
        if (json.front() == '"') return text_from(json, 1);
        char const escape = json.size() > 1 ? json[1] : '\\';
        std::size_t taken = json.size() > 1 ? 2 : 1;
        char character = escape;
        if (escape == 'n') character = '\n';
        else if (escape == 't') character = '\t';
        else if (escape == 'r') character = '\r';
        else if (escape == 'b') character = '\b';
        else if (escape == 'f') character = '\f';
        else if (escape == 'u') {  // our writer has these for control characters only; another's extra is shown as it is
            character = '\x1F';
            taken = json.size() < 6 ? json.size() : 6;
        }
        put(std::string_view(&character, 1));
        json = text_from(json, taken);
    }
    return {};
}

/// An error as the document has it, in its parts. `extra` is JSON.
struct error_parts {
    std::string_view message;  ///< the inside of a JSON string, with its escapes
    std::string_view extra;    ///< JSON; empty for none
};
constexpr error_parts parts_of_error(std::string_view json) {
    constexpr std::string_view message_key = "{\"message\":\"", extra_key = ",\"extra\":";
    constexpr auto nowhere = [](std::string_view) {};
    if (json.empty() || json == "null") return {};
    bool const is_object = json.front() == '{';
    auto const inside = text_from(json, is_object ? message_key.size() : 1);
    auto const rest = healthz::detail::read_json_string(inside, nowhere);
    error_parts found{text_until(inside, inside.size() - rest.size() - 1), {}};
    if (is_object && rest.size() > extra_key.size() + 1) found.extra = text_until(text_from(rest, extra_key.size()), rest.size() - extra_key.size() - 1);
    return found;
}

/// How the page shows what a source is: its class, its word and its shape.
struct page_state {
    std::string_view css, word, shape;
};
enum class page_rank : std::uint8_t { error, failed, timeout, stale, pending, maintenance, ok };
inline constexpr std::array page_states{
    page_state{"e", "ERROR", "M2 2h12v12H2z"},        page_state{"f", "FAILED", "M8 0l8 8-8 8-8-8z"},
    page_state{"t", "TIMEOUT", "M8 1l8 14H0z"},       page_state{"n", "out of date", "M0 6h16v4H0z"},
    page_state{"n", "not yet checked", "M6 6h4v4H6z"}, page_state{"f", "in maintenance", "M2 0h4v16H2zM10 0h4v16h-4z"},
    page_state{"k", "OK", "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0z"}};

constexpr page_rank rank_of(view_data const& data, std::size_t i) {
    auto const status = data.status_of(i);
    if (data.in_maintenance(i)) return page_rank::maintenance;
    if (data.is_stale(i)) return page_rank::stale;
    if (!status) return page_rank::pending;
    if (*status == healthz::status::ok) return page_rank::ok;
    return *status == healthz::status::error ? page_rank::error : *status == healthz::status::failed ? page_rank::failed : page_rank::timeout;
}

/// How many sources there are of each rank.
constexpr auto count_ranks(view_data const& data) {
    std::array<std::size_t, page_states.size()> counts{};
    for (std::size_t i = 0; i < data.size(); ++i) ++counts[static_cast<std::size_t>(healthz::detail::rank_of(data, i))];
    return counts;
}

/// Calls `f` with each source, the worst first, then in the order of their declaration.
template <class F>
constexpr void for_each_by_rank(view_data const& data, F f) {
    for (std::size_t rank = 0; rank < page_states.size(); ++rank)
        for (std::size_t i = 0; i < data.size(); ++i)
            if (static_cast<std::size_t>(healthz::detail::rank_of(data, i)) == rank) f(i, rank);
}

/// The answer in words: the page's first line and its title.
template <class Sink>
constexpr void put_summary(view_data const& data, Sink&& put) {
    auto const counts = healthz::detail::count_ranks(data);
    auto const of = [&](page_rank rank) { return counts[static_cast<std::size_t>(rank)]; };
    auto const bad = of(page_rank::error) + of(page_rank::failed) + of(page_rank::timeout);
    auto const say = [&](std::size_t count, std::string_view what) {
        healthz::detail::put_number(count, put);
        put(" of ");
        healthz::detail::put_number(data.size(), put);
        put(data.size() == 1 ? " source " : " sources ");
        put(count == 1 ? "is " : "are ");
        put(what);
    };
    if (of(page_rank::stale) > 0) say(of(page_rank::stale), "out of date");
    else if (bad > 0) say(bad, "not OK");
    else if (of(page_rank::pending) > 0) say(of(page_rank::pending), "not yet checked");
    else if (of(page_rank::maintenance) > 0) say(of(page_rank::maintenance), "in maintenance");
    else if (data.size() == 1) put("The source is OK");
    else put("All "), healthz::detail::put_number(data.size(), put), put(" sources are OK");
}

/// Puts a moment in UTC to the second: `2022-08-09 09:32:05`.
template <class Sink>
constexpr void put_time(timestamp const& moment, Sink&& put) {
    char time[timestamp_size];
    healthz::write_timestamp(moment, time);
    time[10] = ' ';
    put(std::string_view(time, 19));
}

/// Puts a duration as people read it: `0.4 ms`, `12 ms`, `1.2 s`.
template <class Sink>
constexpr void put_duration(std::uint32_t microseconds, Sink&& put) {
    if (microseconds < 9950) {
        auto const tenths = (microseconds + 50) / 100;
        healthz::detail::put_number(tenths / 10, put);
        put(".");
        healthz::detail::put_number(tenths % 10, put);
        return put(" ms");
    }
    if (microseconds < 999500) {
        healthz::detail::put_number((microseconds + 500) / 1000, put);
        return put(" ms");
    }
    auto const tenths = (microseconds / 10 + 5000) / 10000;
    healthz::detail::put_number(tenths / 10, put);
    put(".");
    healthz::detail::put_number(tenths % 10, put);
    put(" s");
}

/// The strip of the last checks, the oldest first: a bar for each, higher the worse it was. One path for each run of equal ones.
template <class Sink>
constexpr void put_strip(record const& known, Sink&& put) {
    constexpr std::string_view classes[] = {"k", "t", "f", "e"}, middles[] = {"13", "11", "9", "7"}, widths[] = {"6", "10", "14", "18"};
    std::size_t const kept = known.count() < record::recent_size ? known.count() : record::recent_size;
    put("<svg class=r role=img viewBox=\"0 0 128 16\" preserveAspectRatio=none aria-label=\"last ");
    healthz::detail::put_number(kept, put);
    put(" checks:");
    for (std::size_t s = 0; s < 4; ++s) {
        std::size_t count = 0;
        for (std::size_t age = 0; age < kept; ++age) count += known.found(age) == static_cast<status>(s);
        if (count == 0) continue;
        put(" ");
        healthz::detail::put_number(count, put);
        put(" ");
        put(to_string(static_cast<status>(s)));
    }
    put("\">");
    for (std::size_t age = kept; age > 0;) {
        auto const found = *known.found(age - 1);
        auto const begin = age;
        while (age > 0 && known.found(age - 1) == found) --age;
        auto const s = static_cast<std::size_t>(found);
        put("<path class=");
        put(classes[s]);
        put(" stroke-width=");
        put(widths[s]);
        put(" d=\"M");
        healthz::detail::put_number(4 * (record::recent_size - begin), put);
        put(" ");
        put(middles[s]);
        put("h");
        healthz::detail::put_number(4 * (begin - age), put);
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
    constexpr std::string_view colors[] = {"c00020", "7030c0", "b07000", "707070", "707070", "7030c0", "108030"};
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

/// Puts text for a terminal: escaped as in JSON, so that it has no control characters; those of C1 become U+FFFD.
template <class Sink>
constexpr void put_terminal(std::string_view escaped, Sink&& put) {
    for (std::size_t i = 0; i + 1 < escaped.size(); ++i) {
        auto const c = static_cast<unsigned char>(escaped[i]), next = static_cast<unsigned char>(escaped[i + 1]);
        if (c != 0xC2 || next >= 0xA0) continue;
        put(text_until(escaped, i));
        put("\xEF\xBF\xBD");
        escaped = text_from(escaped, i + 2);
        i = static_cast<std::size_t>(-1);
    }
    put(escaped);
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
    constexpr std::size_t state_width = 16;
    std::size_t name_width = 6;
    for (std::size_t i = 0; i < data.size(); ++i) {
        auto const width = healthz::detail::characters_in(data.report().key(i));
        if (width > name_width) name_width = width;
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
            healthz::detail::put_blanks(name_width - healthz::detail::characters_in(key) + 2, put);
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
inline constexpr std::size_t longest_page_source = 900 + record::recent_size * 60, html_growth = 6;

}  // namespace detail

/// `GET /healthz/page`: for people, in a browser as HTML, else as a table in plain text.
struct page {
    static constexpr std::string_view role = "page";
    std::string_view path = "/healthz/page";
    static constexpr healthz::access access = healthz::access::admin;
    static constexpr std::array types{std::string_view("text/plain; charset=utf-8"), std::string_view("text/html; charset=utf-8")};
    /// Header fields besides, as whole lines.
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
