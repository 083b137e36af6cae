// SPDX-License-Identifier: BSL-1.0
// Which prober a source out of metadata gets, and what of the metadata it is given.
// Needs a process with an environment; what the probers need, where their headers are included.
#pragma once

#include "../complaint.hpp"
#include "../hosted/file.hpp"
#include "../hosted/setting.hpp"
#include "../text.hpp"
#include "description.hpp"
#include "json_reader.hpp"
#include "metadata.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace healthz {

struct postgres;
struct mssql;

}  // namespace healthz

namespace healthz::hasura {

struct agent;

/// Has sources of the kind `Kind` probed by `Prober`, a type that can be made without arguments, as an argument of `sources`. Of its
/// members `url`, `connection_string`, `address` or `path`, `user`, `password` and `test` those that it has are set to what the metadata
/// says.
template <fixed_string Kind, class Prober>
struct kind {
    static constexpr std::string_view name = Kind.view();
    using prober_type = Prober;
};

namespace detail {

template <class T>
inline constexpr bool is_kind = false;
template <fixed_string Kind, class Prober>
inline constexpr bool is_kind<kind<Kind, Prober>> = true;

template <auto const& Text>
constexpr std::string_view view_of() {
    if constexpr (requires { std::string_view(Text.data(), Text.size()); }) {
        return {Text.data(), Text.size()};
    } else {
        constexpr auto size = sizeof Text;
        return {Text, size - (Text[size - 1] == '\0' ? 1 : 0)};
    }
}

template <auto const& Text>
concept viewable = requires {
    std::string_view(Text.data(), Text.size());
};
template <class T>
inline constexpr bool is_char_array = false;
template <std::size_t Size>
inline constexpr bool is_char_array<char const[Size]> = true;
template <auto const& Text>
concept text = viewable<Text> || is_char_array<std::remove_reference_t<decltype(Text)>>;
template <auto const& Text>
concept constant_text = requires {
    typename std::integral_constant<std::size_t, healthz::hasura::detail::position_of(healthz::hasura::detail::view_of<Text>(), 1).line>;
};

template <std::size_t Size>
struct characters {
    char chars[Size];
    constexpr std::string_view view() const { return {chars, Size - 1}; }
};

/// What a slice stands for, and a zero byte.
template <auto const& Text, text_slice Slice>
inline constexpr auto decoded = [] {
    characters<Slice.decoded + 1> made{};
    healthz::hasura::detail::decode(healthz::hasura::detail::view_of<Text>(), Slice, made.chars);
    return made;
}();

/// Writes `key='value'`, as libpq reads it; returns the end.
constexpr char* put_parameter(std::string_view key, std::string_view value, char* out) {
    out = healthz::detail::copy_text(key, out);
    *out++ = '=';
    *out++ = '\'';
    for (char const c : value) {
        if (c == '\'' || c == '\\') *out++ = '\\';
        *out++ = c;
    }
    *out++ = '\'';
    *out++ = ' ';
    return out;
}

/// connection_parameters, but for the login, as a connection string of libpq.
template <auto const& Text, text_slice Host, text_slice Database, int Port>
inline constexpr auto conninfo = [] {
    characters<2 * Host.decoded + 2 * Database.decoded + 40> made{};
    char port[5]{};
    std::size_t digits = 0;
    for (int left = Port; left > 0; left /= 10) port[4 - digits++] = static_cast<char>('0' + left % 10);
    auto* out = made.chars;
    out = healthz::hasura::detail::put_parameter("host", decoded<Text, Host>.view(), out);
    out = healthz::hasura::detail::put_parameter("port", {port + 5 - digits, digits}, out);
    out = healthz::hasura::detail::put_parameter("dbname", decoded<Text, Database>.view(), out);
    return made;
}();

template <auto const& Text, setting_slice Slice>
constexpr setting make_setting() {
    if constexpr (Slice.from == origin::nowhere) return setting();
    else if constexpr (Slice.from == origin::variable) return setting(env(decoded<Text, Slice.text>.chars));
    else if constexpr (Slice.from == origin::file) return setting(file(decoded<Text, Slice.text>.chars));
    else return setting(decoded<Text, Slice.text>.chars);
}

template <class Prober>
concept has_url = requires(Prober& p) {
    p.url = setting();
};
template <class Prober>
concept has_login = has_url<Prober> && requires(Prober& p) {
    p.user = setting();
    p.password = setting();
};

template <class Prober>
constexpr void connect_to(Prober& p, [[maybe_unused]] setting connection) {
    if constexpr (has_url<Prober>) p.url = connection;
    else if constexpr (requires { p.connection_string = connection; }) p.connection_string = connection;
    else if constexpr (requires { p.address = connection; }) p.address = connection;
    else if constexpr (requires { p.path = connection; }) p.path = connection;
}

/// The prober of a source, with what the metadata says.
template <class Prober, auto const& Text, auto const& Source>
constexpr Prober fill() {
    Prober p{};
    if constexpr (Source.has_parameters()) {
        static_assert(has_login<Prober> || healthz::detail::holds_for<healthz::detail::source_name<decoded<Text, Source.name>.chars>>,
                      "healthz: the prober that this source's kind is mapped to takes no connection_parameters: write a database_url");
        if constexpr (has_login<Prober>) {
            p.url = setting(conninfo<Text, Source.host, Source.database, Source.port>.chars);
            p.user = healthz::hasura::detail::make_setting<Text, Source.user>();
            p.password = healthz::hasura::detail::make_setting<Text, Source.password>();
        }
    } else if constexpr (Source.connection.from != origin::nowhere) {
        healthz::hasura::detail::connect_to(p, healthz::hasura::detail::make_setting<Text, Source.connection>());
    }
    if constexpr (Source.sql)
        if constexpr (requires { p.test = ""; }) p.test = decoded<Text, Source.sql>.chars;
    return p;
}

template <class Prober>
concept complete = requires {
    sizeof(Prober);
};

/// Which of our own probers metadata needs.
struct needs {
    bool postgres = false, mssql = false, agent = false;
};

/// A header that is not included is told by one sentence.
template <needs Needs, class Postgres = postgres, class Mssql = mssql, class Agent = agent>
constexpr auto require_headers() {
    constexpr bool has_postgres = !Needs.postgres || complete<Postgres>, has_mssql = !Needs.mssql || complete<Mssql>,
                   has_agent = !Needs.agent || complete<Agent>;
    static_assert(has_postgres, "healthz: this metadata has a PostgreSQL: include <healthz/probers/postgres.hpp>");
    static_assert(has_mssql, "healthz: this metadata has a SQL Server: include <healthz/probers/mssql.hpp>");
    static_assert(has_agent, "healthz: this metadata has a data connector agent: include <healthz/hasura/agent.hpp>");
    return has_postgres && has_mssql && has_agent;
}

/// The index of the mapping of this kind, or their number.
template <class... Kinds>
constexpr std::size_t mapping_of(std::string_view text, text_slice kind) {
    std::array<std::string_view, sizeof...(Kinds)> const names{Kinds::name...};
    std::size_t i = 0;
    while (i < names.size() && !healthz::hasura::detail::means(text, kind, names[i])) ++i;
    return i;
}
template <std::size_t Index, class First, class... Others>
struct mapping_at : mapping_at<Index - 1, Others...> {};
template <class First, class... Others>
struct mapping_at<0, First, Others...> : First {};

}  // namespace detail

}  // namespace healthz::hasura
