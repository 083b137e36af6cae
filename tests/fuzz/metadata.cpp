// SPDX-License-Identifier: BSL-1.0
// Hasura's metadata against Boost.JSON: what is taken is JSON, and its sources have the same names, kinds, connections and times; what is refused
// for its syntax is no JSON there either; and a mistake lies in the text.
#include "fuzz.hpp"

#include <healthz/hasura/metadata.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <optional>
#include <set>

namespace {

namespace json = boost::json;
namespace hasura = healthz::hasura;
using hasura::mistake;

std::optional<json::value> parsed(std::string_view text, boost::system::error_code& ec) {
    json::parse_options options;
    options.max_depth = 100;  // ours is 64
    auto value = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
    if (ec) return std::nullopt;
    return value;
}

std::string decoded(std::string_view text, hasura::detail::text_slice slice) {
    std::string result(slice.decoded, '\0');
    hasura::detail::decode(text, slice, result.data());
    return result;
}

bool is(json::value const* value, std::string_view text) {
    return value && value->is_string() && std::string_view(value->as_string().data(), value->as_string().size()) == text;
}

json::value const* member(json::value const* value, char const* key) {
    return value && value->is_object() ? value->as_object().if_contains(key) : nullptr;
}

void check_time(json::value const* check, char const* key, std::int64_t milliseconds, double otherwise) {
    auto const* const given = member(check, key);
    auto const expected = given && !given->is_null() ? given->to_number<double>() * 1000 : otherwise;
    fuzz::require(std::abs(expected - static_cast<double>(milliseconds)) < 0.500001, "a time is the time that is written");
}

void check_setting(std::string_view text, json::value const* given, hasura::detail::setting_slice const& found) {
    using hasura::detail::origin;
    auto const expected = decoded(text, found.text);
    auto const* const variable = member(given, "from_env");
    auto const* const file = member(given, "dynamic_from_file");
    if (found.from == origin::text) fuzz::require(is(given, expected), "a text is the text that is written");
    if (found.from == origin::variable) fuzz::require(is(variable, expected), "a variable is the one that is written");
    if (found.from == origin::file) fuzz::require(is(file, expected), "a file is the one that is written");
}

void check_source(std::string_view text, hasura::detail::description const& found, json::value const& given) {
    fuzz::require(is(member(&given, "name"), decoded(text, found.name)), "a name is the one that is written");
    auto const* const kind = member(&given, "kind");
    fuzz::require(found.kind ? is(kind, decoded(text, found.kind)) : !kind, "a kind is the one that is written");
    auto const* const check = member(&given, "health_check");
    fuzz::require(found.has_check == (check && !check->is_null()), "a source is checked where it says so");
    if (found.has_check) {
        check_time(check, "interval", found.interval, 0);
        check_time(check, "timeout", found.timeout, 10'000);
        check_time(check, "retry_interval", found.retry_interval, 10'000);
        auto const* const retries = member(check, "retries");
        fuzz::require(static_cast<double>(found.retries) == (retries && !retries->is_null() ? retries->to_number<double>() : 3),
                      "retries are those that are written");
        if (auto const* const sql = member(member(check, "test"), "sql"))
            fuzz::require(is(sql, decoded(text, found.sql)), "a query is the one that is written");
    }
    if (found.connection_what != mistake::none) return;
    auto const* const info = member(member(&given, "configuration"), "connection_info");
    auto const* connection = member(info, "database_url");
    if (!connection || connection->is_null()) connection = member(info, "connection_string");
    if (!found.has_parameters()) return check_setting(text, connection, found.connection);
    auto const* parameters = member(connection, "connection_parameters");
    if (!parameters) parameters = member(info, "connection_parameters");
    fuzz::require(
        is(member(parameters, "host"), decoded(text, found.host)) && is(member(parameters, "database"), decoded(text, found.database)),
        "parameters are those that are written");
    fuzz::require(member(parameters, "port")->to_number<double>() == found.port, "a port is the one that is written");
    check_setting(text, member(parameters, "username"), found.user);
    check_setting(text, member(parameters, "password"), found.password);
}

// The place of a mistake is one of the text: on one of its lines, no further than behind its last byte.
void check_place(std::string_view text, hasura::position where) {
    for (std::size_t line = 1; line < where.line; ++line) {
        auto const end = text.find('\n');
        fuzz::require(end != text.npos, "a mistake is on a line of the text");
        text.remove_prefix(end + 1);
    }
    fuzz::require(where.line > 0 && where.column > 0 && where.column <= text.substr(0, text.find('\n')).size() + 1,
                  "a mistake is in a line of the text");
}

bool is_syntax(mistake what) {
    switch (what) {
        case mistake::empty:
        case mistake::not_utf8:
        case mistake::not_json:
        case mistake::truncated:
        case mistake::no_key:
        case mistake::no_colon:
        case mistake::no_comma:
        case mistake::control:
        case mistake::escape:
        case mistake::surrogate:
        case mistake::more_text: return true;
        default: return false;
    }
}

// Each agent that Boost.JSON finds is found. Not where there are more such objects than one, of which either may count.
void check_agents(std::string_view text, json::value const& whole) {
    constexpr std::string_view agents = "dataconnector";
    auto const outline = hasura::detail::outline_reader(text).read();
    if (outline.what != mistake::none || text.find(agents) == text.npos || text.find(agents) != text.rfind(agents)) return;
    auto const* all = member(member(&whole, "backend_configs"), "dataconnector");
    if (!all) all = member(member(member(&whole, "metadata"), "backend_configs"), "dataconnector");
    for (std::size_t i = 0; i < outline.count; ++i) {
        auto const source = hasura::detail::source_reader(text, outline.begin[i]).read();
        auto const kind = decoded(text, source.kind);
        if (kind.size() > hasura::detail::longest_kind || !member(all, kind.c_str()) || kind.find('\0') != kind.npos) continue;
        fuzz::require(hasura::detail::find_agent(text, outline.agents_at, kind).is_there, "an agent that is there is found");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = fuzz::text_of(data, size);
    bool const is_marked = text.starts_with(hasura::mark);  // from a build step of ours, which marks what it cut out: not a whole text
    auto const found = hasura::inspect(text), of_all = hasura::inspect(text, true);
    for (auto const& each : {found, of_all}) {
        if (is_marked) continue;
        check_place(text, each.where);
        fuzz::require(each.source.empty() || text.find(each.source) != text.npos, "a mistake is in a source of the text");
        fuzz::require((each.what == mistake::none) == hasura::to_string(each.what).empty(), "each mistake has a sentence");
    }
    if (is_marked) return 0;
    if (of_all.what == mistake::none)
        fuzz::require(found.what == mistake::none || found.what == mistake::none_checked, "what is right in all is right in some");

    boost::system::error_code ec;
    auto const whole = parsed(text, ec);
    if (is_syntax(found.what)) fuzz::require(!whole, "what is refused for its syntax is no JSON");
    if (whole) check_agents(text, *whole);
    if (found.what != mistake::none) return 0;
    fuzz::require(whole || ec == json::error::exponent_overflow, "what is taken is JSON");

    auto const outline = hasura::detail::outline_reader(text).read();
    std::set<std::string> names;
    for (std::size_t i = 0; i < outline.count; ++i) {
        auto const begin = outline.begin[i];
        auto const source = hasura::detail::source_reader(text, begin).read();
        auto const given = parsed(text.substr(begin, hasura::detail::end_of_value(text, begin) - begin), ec);
        if (!given && ec == json::error::exponent_overflow) continue;
        fuzz::require(given && given->is_object(), "a source is an object of the text");
        check_source(text, source, *given);
        fuzz::require(names.insert(decoded(text, source.name)).second, "a name is there once");
    }
    return 0;
}
