// SPDX-License-Identifier: BSL-1.0
// Hasura's metadata: where its sources are, what each of them says, and whether all of it is right. While compiling, or when it runs.
// Includes nothing but the core.
#pragma once

#include "description.hpp"
#include "json_reader.hpp"
#include "mistake.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace healthz::hasura {

namespace detail {

inline constexpr std::size_t most_sources = 1024;

/// The parts of a document.
struct outline {
    mistake what = mistake::none;
    std::size_t where = 0;
    std::size_t count = 0;
    std::size_t agents_at = 0;  // the object of backend_configs.dataconnector; 0 for none
    std::uint32_t begin[most_sources]{};
};

/// Skips what begins at `at`, which is looked at later: only strings and brackets count. Returns where it ends.
constexpr std::size_t end_of_value(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    for (auto const size = text.size(); at < size; ++at) {
        switch (text[at]) {
            case '"':
                for (++at; at < size && text[at] != '"'; ++at)
                    if (text[at] == '\\') ++at;
                break;
            case '{':
            case '[': ++depth; break;
            case '}':
            case ']':
                if (--depth == 0) return at + 1;
                break;
            default: break;
        }
    }
    return text.size();
}

class outline_reader {
public:
    constexpr explicit outline_reader(std::string_view text) : text_(text), json_(text) {}

    constexpr outline read() {
        reject_encoding();
        char const c = json_.peek();
        if (json_.at() >= text_.size()) json_.fail(mistake::empty, 0);
        if (c == '[') read_sources();
        else if (c == '{') read_object(true);
        else json_.skip();
        if (json_.ok()) json_.end();
        if (!has_sources_) json_.fail(mistake::no_metadata, 0);
        found_.what = json_.what();
        found_.where = json_.where();
        return found_;
    }

private:
    constexpr void reject_encoding() {
        auto const byte = [this](std::size_t i) { return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0x20u; };
        if (byte(0) == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF) json_.fail(mistake::byte_order_mark, 0);
        bool const is_wide = (byte(0) == 0xFF && byte(1) == 0xFE) || (byte(0) == 0xFE && byte(1) == 0xFF);
        if (is_wide || byte(0) == 0 || byte(1) == 0) json_.fail(mistake::utf_16, 0);
        if (text_.size() > 0xFFFF'FFFF) json_.fail(mistake::too_large, 0);
    }

    constexpr bool is(text_slice key, std::string_view wanted) const { return healthz::hasura::detail::means(text_, key, wanted); }

    constexpr void read_object(bool is_outer) {
        text_slice key;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "sources")) {
                if (has_sources_) json_.fail(mistake::key_twice, key.at - 1);
                if (json_.peek() != '[') json_.fail(mistake::sources_no_array, json_.at());
                read_sources();
            } else if (is_outer && is(key, "metadata") && json_.peek() == '{') {
                read_object(false);
            } else if (is(key, "version")) {
                read_version();
            } else if (is(key, "backend_configs") && json_.peek() == '{') {
                for (bool inner = true; json_.next_member(inner, key);) {
                    json_.peek();
                    if (is(key, "dataconnector")) found_.agents_at = json_.at();
                    json_.skip();
                }
            } else {
                json_.skip();
            }
        }
    }

    constexpr void read_version() {
        char const c = json_.peek();
        auto const at = json_.at();
        if (c < '0' || c > '9') json_.fail(mistake::version, at);
        auto const number = json_.number();
        if (!number.is_whole() || number.scaled(0, 1000) != 3) json_.fail(mistake::version, at);
    }

    constexpr void read_sources() {
        has_sources_ = true;
        for (bool first = true; json_.next_element(first);) {
            if (json_.peek() != '{') json_.fail(mistake::source_no_object, json_.at());
            if (found_.count == most_sources) json_.fail(mistake::too_many, json_.at());
            if (!json_.ok()) return;
            found_.begin[found_.count++] = static_cast<std::uint32_t>(json_.at());
            json_ = json_reader(text_, healthz::hasura::detail::end_of_value(text_, json_.at()));
        }
    }

    std::string_view text_;
    json_reader json_;
    outline found_;
    bool has_sources_ = false;
};

/// Which of Hasura's own a kind is.
enum class family : std::uint8_t { postgres, mssql, other };

constexpr family family_of(std::string_view text, text_slice kind) {
    if (!kind) return family::postgres;
    for (std::string_view const each : {"postgres", "pg", "citus", "cockroach", "alloy"})
        if (healthz::hasura::detail::means(text, kind, each)) return family::postgres;
    return healthz::hasura::detail::means(text, kind, "mssql") ? family::mssql : family::other;
}

/// The agent of a kind, and where its uri stands.
struct agent_slice {
    bool is_there = false;
    setting_slice uri;
    std::size_t where = 0;
};

/// What backend_configs, which has been read before, says of the agent of this kind.
constexpr agent_slice find_agent(std::string_view text, std::size_t agents_at, std::string_view kind) {
    agent_slice found;
    if (agents_at == 0) return found;
    json_reader json(text, agents_at);
    if (json.peek() != '{') return found;
    text_slice key;
    for (bool first = true; json.next_member(first, key);) {
        found.is_there = healthz::hasura::detail::means(text, key, kind);
        json.peek();
        found.where = json.at();
        if (!found.is_there || json.peek() != '{') {
            if (found.is_there) return found;
            json.skip();
            continue;
        }
        for (bool inner = true; json.next_member(inner, key);) {
            if (!healthz::hasura::detail::means(text, key, "uri")) {
                json.skip();
            } else if (json.peek() == '"') {
                found.uri = {origin::text, json.string()};
            } else if (bool within = true; json.peek() == '{' && json.next_member(within, key) &&
                                           healthz::hasura::detail::means(text, key, "from_env") && json.peek() == '"') {
                found.uri = {origin::variable, json.string()};
                while (json.next_member(within, key)) json.skip();
            } else {
                return found;
            }
        }
        auto const slice = found.uri.text;
        if (slice.decoded == 0 || healthz::hasura::detail::has_zero_byte(text, slice)) found.uri = {};
        return found;
    }
    return found;
}

struct finding {
    mistake what = mistake::none;
    std::size_t where = 0;
};

/// What is wrong with a source that is to be checked. `mapped` are the kinds that the program has probers for.
constexpr finding finding_of(std::string_view text, std::size_t agents_at, description const& source,
                             std::span<std::string_view const> mapped) {
    if (source.what != mistake::none) return {source.what, source.where};
    for (auto const each : mapped)
        if (healthz::hasura::detail::means(text, source.kind, each)) {
            bool const is_absent =
                source.connection_what == mistake::no_configuration || source.connection_what == mistake::no_connection_info;
            return is_absent ? finding() : finding{source.connection_what, source.connection_where};
        }
    auto const which = healthz::hasura::detail::family_of(text, source.kind);
    if (which == family::other) {
        char kind[longest_kind]{};
        if (source.kind.decoded > sizeof kind) return {mistake::kind_unknown, source.kind.at - 1};
        healthz::hasura::detail::decode(text, source.kind, kind);
        auto const agent = healthz::hasura::detail::find_agent(text, agents_at, {kind, source.kind.decoded});
        if (!agent.is_there) return {mistake::kind_unknown, source.kind.at - 1};
        if (agent.uri.from == origin::nowhere) return {mistake::agent_uri, agent.where};
        return {};
    }
    if (source.connection_what != mistake::none) return {source.connection_what, source.connection_where};
    if (which == family::mssql && source.has_parameters()) return {mistake::parameters_not_here, source.parameters_at};
    return {};
}

}  // namespace detail

/// What is wrong with a text of metadata, and where.
struct complaint {
    mistake what = mistake::none;
    position where;
    /// The name of the source, as it stands in the text, with JSON's escapes; empty where the mistake is not in one.
    std::string_view source;
};

/// Reads a text of metadata, and returns its first mistake; `mistake::none` if `sources` takes it. `all`: whether sources that have no
/// health_check are looked at, too. `mapped`: the kinds that `sources` is given as `kind<...>`. Whole texts, of which no build step has cut
/// out anything, may have any size below 4 GiB when it runs; time grows with the square of the number of sources. For any thread; nothing
/// is kept.
constexpr complaint inspect(std::string_view text, bool all = false, std::span<std::string_view const> mapped = {}) {
    auto const whole = detail::outline_reader(text).read();
    if (whole.what != mistake::none) return {whole.what, healthz::hasura::detail::position_of(text, whole.where), {}};
    detail::text_slice names[detail::most_sources];
    bool any = false;
    for (std::size_t i = 0; i < whole.count; ++i) {
        auto const source = detail::source_reader(text, whole.begin[i]).read();
        bool const counts = source.has_check || all;
        any |= counts;
        names[i] = source.name;
        auto found = counts ? healthz::hasura::detail::finding_of(text, whole.agents_at, source, mapped)
                            : detail::finding{source.what, source.where};
        for (std::size_t before = 0; before < i && found.what == mistake::none; ++before)
            if (healthz::hasura::detail::same_text(text, names[before], source.name)) found = {mistake::name_twice, source.name.at - 1};
        if (found.what != mistake::none)
            return {found.what, healthz::hasura::detail::position_of(text, found.where), source.name.raw(text)};
    }
    if (!any) return {mistake::none_checked, {}, {}};
    return {};
}

}  // namespace healthz::hasura
