// SPDX-License-Identifier: BSL-1.0
// The reader of metadata: all of JSON, what is wrong, and where.
#include "../catch.hpp"

#include <healthz/hasura/metadata.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using healthz::hasura::inspect;
using healthz::hasura::mistake;
namespace detail = healthz::hasura::detail;

constexpr bool reads(std::string_view text) {
    detail::json_reader json(text);
    json.skip();
    if (json.ok()) json.end();
    return json.ok();
}

// What is JSON by RFC 8259, and what only looks like it.
static_assert(reads("null") && reads(" true ") && reads("false\n") && reads("\"\"") && reads("[]") && reads("{}") && reads("\t[ ]\r\n"));
static_assert(reads("0") && reads("-0") && reads("-0.5e+10") && reads("1E400") && reads("123456789012345678901234567890") && reads("1e-0"));
static_assert(reads(R"({"a":[1,{"b":"\"\\\/\b\f\n\r\t\u0000\ud83d\ude00"}],"":null})") && reads("\"\x7f\xC3\xA9\xF0\x9F\x98\x80\""));
static_assert(!reads("") && !reads("nul") && !reads("nulll") && !reads("True") && !reads("'a'") && !reads("NaN") && !reads("// a\n1"));
static_assert(!reads("01") && !reads("1.") && !reads(".5") && !reads("-") && !reads("+1") && !reads("1e") && !reads("0x1") &&
              !reads("1 2"));
static_assert(!reads("[1,]") && !reads("[,1]") && !reads("[1 2]") && !reads("[") && !reads("[1") && !reads("[1}") && !reads("]"));
static_assert(!reads("{\"a\"}") && !reads("{\"a\":}") && !reads("{\"a\":1,}") && !reads("{a:1}") && !reads("{\"a\":1") && !reads("{1:2}"));
static_assert(!reads("\"") && !reads("\"\\\"") && !reads("\"\\x\"") && !reads("\"\\u12g4\"") && !reads("\"\n\"") && !reads("\"\t\""));
static_assert(!reads("\"\\ud800\"") && !reads("\"\\udc00\"") && !reads("\"\\ud800\\u0041\"") && !reads("\"\xC0\x80\"") &&
              !reads("\"\xED\xA0\x80\""));
static_assert(!reads(std::string_view("[1]\0", 4)) && !reads("\x01") && !reads("[1\f]"));

constexpr bool nested(int depth) {
    char text[200]{};
    for (int i = 0; i < depth; ++i) text[i] = '[', text[2 * depth - 1 - i] = ']';
    return reads({text, static_cast<std::size_t>(2 * depth)});
}
static_assert(nested(65) && !nested(66));

constexpr std::int64_t number(std::string_view text, int power) { return detail::json_reader(text).number().scaled(power, 1'000'000); }
static_assert(number("10", 3) == 10'000 && number("1.5", 3) == 1500 && number("1e1", 3) == 10'000 && number("25e-1", 0) == 3);
static_assert(number("0.0004", 3) == 0 && number("0.0005", 3) == 1 && number("-2", 0) == -2 && number("1e400", 3) == 1'000'000);
static_assert(number("99999999999999999999999", 0) == 1'000'000 && number("0.000000000000000000000001", 3) == 0 &&
              number("0e999999999", 0) == 0);
static_assert(detail::json_reader("1.0").number().is_whole() && !detail::json_reader("1.5").number().is_whole() &&
              !detail::json_reader("15e-1").number().is_whole());

constexpr bool decodes(std::string_view text, std::string_view meant) {
    char out[100]{};
    auto const slice = detail::json_reader(text).string();
    detail::decode(text, slice, out);
    return slice.decoded == meant.size() && std::string_view(out, slice.decoded) == meant;
}
static_assert(decodes(R"("a\"\\\/\b\f\n\r\tz")", "a\"\\/\b\f\n\r\tz") &&
              decodes(R"("\u0041\u00e9\u20AC\uD83D\uDE00")", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
static_assert(decodes(R"("\u0000")", std::string_view("\0", 1)) && decodes("\"\"", ""));

// A source with one member in the place of another.
constexpr std::string_view head = R"([{"name": "orders", "kind": "postgres", )";
constexpr auto with = [](std::string_view rest) {
    std::array<char, 600> text{};
    char* out = healthz::detail::copy_text(head, text.data());
    out = healthz::detail::copy_text(rest, out);
    return inspect({text.data(), static_cast<std::size_t>(out - text.data())}).what;
};
constexpr auto with_check = [](std::string_view check) {
    std::array<char, 400> text{};
    char* out = healthz::detail::copy_text(R"("configuration": {"connection_info": {"database_url": "a"}}, "health_check": )", text.data());
    out = healthz::detail::copy_text(check, out);
    out = healthz::detail::copy_text("}]", out);
    return with({text.data(), static_cast<std::size_t>(out - text.data())});
};
constexpr auto with_info = [](std::string_view info) {
    std::array<char, 500> text{};
    char* out = healthz::detail::copy_text(R"("health_check": {"interval": 1}, "configuration": {"connection_info": )", text.data());
    out = healthz::detail::copy_text(info, out);
    out = healthz::detail::copy_text("}}]", out);
    return with({text.data(), static_cast<std::size_t>(out - text.data())});
};

static_assert(with_check(R"({"interval": 10})") == mistake::none &&
              with_check(R"({"interval": 0.5, "timeout": 1e0, "retries": 0, "retry_interval": 0})") == mistake::none);
static_assert(with_check(R"({"interval": 1, "timeout": null, "retries": null, "retry_interval": null, "test": null})") == mistake::none);
static_assert(with_check(R"({"interval": 1, "test": {"sql": "SELECT 2"}, "more": [1, {}]})") == mistake::none);
static_assert(with_check("null") == mistake::none_checked && with_check("[]") == mistake::check_no_object &&
              with_check("{}") == mistake::no_interval);
static_assert(with_check(R"({"interval": 0})") == mistake::interval_zero && with_check(R"({"interval": -1})") == mistake::interval_zero);
static_assert(with_check(R"({"interval": "10"})") == mistake::interval_no_number &&
              with_check(R"({"interval": null})") == mistake::interval_no_number);
static_assert(with_check(R"({"interval": 0.0001})") == mistake::too_short && with_check(R"({"interval": 1e9})") == mistake::too_long);
static_assert(with_check(R"({"interval": 1, "interval": 2})") == mistake::key_twice &&
              with_check(R"({"interval": 1, "inter\u0076al": 2})") == mistake::key_twice);
static_assert(with_check(R"({"interval": 1, "timeout": 0})") == mistake::timeout_zero &&
              with_check(R"({"interval": 1, "timeout": true})") == mistake::timeout_no_number);
static_assert(with_check(R"({"interval": 1, "retries": 1.5})") == mistake::retries_no_number &&
              with_check(R"({"interval": 1, "retries": 32768})") == mistake::retries_no_number);
static_assert(with_check(R"({"interval": 1, "retries": 32767, "timeout": 100})") == mistake::too_long);
static_assert(with_check(R"({"interval": 1, "retry_interval": -1})") == mistake::retry_interval_negative);
static_assert(with_check(R"({"interval": 1, "retry_interval": "1"})") == mistake::retry_interval_no_number);
static_assert(with_check(R"({"interval": 1, "test": "SELECT 1"})") == mistake::test_no_object &&
              with_check(R"({"interval": 1, "test": {"sql": 1}})") == mistake::sql_no_text);
static_assert(with_check(R"({"interval": 1, "test": {"sql": ""}})") == mistake::value_empty &&
              with_check(R"({"interval": 1, "test": {"sql": "a\u0000"}})") == mistake::value_zero_byte);

static_assert(with_info(R"({"database_url": {"from_env": "A"}})") == mistake::none &&
              with_info(R"({"connection_string": {"dynamic_from_file": "/a"}})") == mistake::none);
static_assert(
    with_info(
        R"({"database_url": {"connection_parameters": {"username": "u", "database": "d", "host": "h", "port": 5432}}, "pool_settings": {}})") ==
    mistake::none);
static_assert(
    with_info(R"({"connection_parameters": {"username": {"from_env": "U"}, "password": null, "database": "d", "host": "h", "port": 1}})") ==
    mistake::none);
static_assert(with_info("1") == mistake::connection_info_no_object && with_info("{}") == mistake::no_connection &&
              with_info(R"({"database_url": null})") == mistake::no_connection);
static_assert(with_info(R"({"database_url": "a", "connection_string": "b"})") == mistake::connection_twice &&
              with_info(R"({"database_url": "a", "database_url": "b"})") == mistake::key_twice);
static_assert(with_info(R"({"database_url": 1})") == mistake::connection_type &&
              with_info(R"({"database_url": {}})") == mistake::connection_type);
static_assert(with_info(R"({"database_url": ""})") == mistake::value_empty &&
              with_info(R"({"database_url": "\u0000"})") == mistake::value_zero_byte);
static_assert(with_info(R"({"database_url": {"from_env": ""}})") == mistake::variable &&
              with_info(R"({"database_url": {"from_env": "A=B"}})") == mistake::variable);
static_assert(with_info(R"({"database_url": {"from_env": 1}})") == mistake::variable &&
              with_info(R"({"database_url": {"from_env": "A", "from_env": "B"}})") == mistake::key_twice);
static_assert(with_info(R"({"database_url": {"dynamic_from_file": ""}})") == mistake::path);
static_assert(with_info(R"({"connection_parameters": 1})") == mistake::parameters_no_object &&
              with_info(R"({"connection_parameters": {}})") == mistake::parameter_missing);
static_assert(with_info(R"({"connection_parameters": {"username": "u", "database": 1, "host": "h", "port": 1}})") ==
              mistake::parameter_type);
static_assert(with_info(R"({"connection_parameters": {"username": 1, "database": "d", "host": "h", "port": 1}})") == mistake::login_type);
static_assert(with_info(R"({"connection_parameters": {"username": "u", "database": "d", "host": "h", "port": 65536}})") == mistake::port);
static_assert(with_info(R"({"connection_parameters": {"username": "u", "database": "d", "host": "h", "port": "1"}})") == mistake::port);

// Documents of each form.
constexpr std::string_view one =
    R"({"name": "a", "configuration": {"connection_info": {"database_url": "u"}}, "health_check": {"interval": 1}})";
constexpr auto around = [](std::string_view before, std::string_view after) {
    std::array<char, 600> text{};
    char* out = healthz::detail::copy_text(before, text.data());
    out = healthz::detail::copy_text(one, out);
    out = healthz::detail::copy_text(after, out);
    return inspect({text.data(), static_cast<std::size_t>(out - text.data())});
};
static_assert(around("[", "]").what == mistake::none && around("{\"sources\":[", "]}").what == mistake::none);
static_assert(around(R"({"version":3,"sources":[)", "]}").what == mistake::none);
static_assert(around(R"({"resource_version":12,"metadata":{"version":3,"sources":[)", R"(],"actions":[{"name":"x"}]}})").what ==
              mistake::none);
static_assert(around(R"({"version":3,"metadata":{"sources":[)", "]}}").what == mistake::none);
static_assert(around(R"({"version":2,"sources":[)", "]}").what == mistake::version &&
              around(R"({"version":"3","sources":[)", "]}").what == mistake::version);
static_assert(around("[", "").what == mistake::truncated && around("[", "],").what == mistake::more_text &&
              around("[", ",]").what == mistake::not_json);
static_assert(around("{\"sources\":[", "],\"sources\":[]}").what == mistake::key_twice);
static_assert(around(R"([{"name": "b", "kind": "unknown"},)", "]").what == mistake::none);  // which is not checked
static_assert(around(R"([{"name": "\u0061"},)", "]").what == mistake::name_twice && around("[{},", "]").what == mistake::no_name);
static_assert(around("\xEF\xBB\xBF[", "]").what == mistake::byte_order_mark && around("\xFF\xFE[", "]").what == mistake::utf_16);
static_assert(inspect(std::string_view("[\0]\0", 4)).what == mistake::utf_16 && inspect("").what == mistake::empty &&
              inspect(" \n").what == mistake::empty);
static_assert(inspect("null").what == mistake::no_metadata && inspect("12").what == mistake::no_metadata &&
              inspect("{}").what == mistake::no_metadata);
static_assert(inspect("[]").what == mistake::none_checked && inspect("[1]").what == mistake::source_no_object &&
              inspect(R"({"sources":1})").what == mistake::sources_no_array);
static_assert(inspect(R"([{"name": "a"}])").what == mistake::none_checked &&
              inspect(R"([{"name": "a"}])", true).what == mistake::no_configuration);

// Kinds.
constexpr std::string_view athena = R"([{"name": "a", "kind": "athena", "health_check": {"interval": 1}, "configuration": {"value": {}}}])";
constexpr std::string_view with_agent =
    R"({"sources": [{"name": "a", "kind": "athena", "health_check": {"interval": 1}}], "backend_configs": {"dataconnector": {"other": {}, "athena": {"uri": {"from_env": "A"}}}}})";
constexpr std::string_view without_uri =
    R"({"sources": [{"name": "a", "kind": "athena", "health_check": {"interval": 1}}], "backend_configs": {"dataconnector": {"athena": {"uri": 1}}}})";
constexpr std::array<std::string_view, 2> mapped{"other", "athena"};
static_assert(inspect(athena).what == mistake::kind_unknown);
static_assert(inspect(athena, false, mapped).what == mistake::none && inspect(with_agent).what == mistake::none);
static_assert(inspect(without_uri).what == mistake::agent_uri);
constexpr std::string_view long_kind =
    R"({"sources": [{"name": "a", "kind": "0123456789012345678901234567890123456789012345678901234567890123456789", "health_check": {"interval": 1}}], "backend_configs": {"dataconnector": {"012345678901234567890123456789012345678901234567890123456789012345678\u0039": {"uri": "u"}}}})";
static_assert(inspect(long_kind).what == mistake::none);
static_assert(
    inspect(
        R"([{"name":"a","kind":"mssql","health_check":{"interval":1},"configuration":{"connection_info":{"connection_parameters":{"username":"u","database":"d","host":"h","port":1}}}}])")
        .what == mistake::parameters_not_here);

// Places.
constexpr std::string_view lines = "[\n  {\"name\": \"a\",\n   \"health_check\": {\"interval\": 0}}]";
static_assert(inspect(lines).where.line == 3 && inspect(lines).where.column == 33 && inspect(lines).source == "a");
constexpr std::string_view marked =
    "\x01"
    "1:1\x01[{\"name\": \"a\", \"tables\": null\x01"
    "700:12\x01, \"health_check\": {\"interval\": 0}}]";
static_assert(inspect(marked).where.line == 700 && inspect(marked).where.column == 12 + 31);
static_assert(healthz::hasura::to_string(mistake::none).empty() && healthz::hasura::to_string(mistake::empty) == "this metadata is empty");
static_assert(healthz::hasura::complaint{}.what == mistake::none && healthz::hasura::position{}.line == 1 &&
              healthz::hasura::mark == '\x01');

}  // namespace

TEST_CASE("hasura: what is cut off anywhere, or has a byte changed, is read to the end and told once") {
    std::string const text(with_agent);
    for (std::size_t size = 0; size < text.size(); ++size) {
        auto const found = inspect(std::string_view(text).substr(0, size));
        CHECK(found.what != mistake::none);
        CHECK(found.where.column <= size + 1);
    }
    for (std::size_t at = 0; at < text.size(); ++at)
        for (char const c : {'\0', '\x01', '"', '\\', '{', '}', '[', ']', ',', ':', '0', 'u', '\xC3', '\n'}) {
            auto changed = text;
            changed[at] = c;
            CHECK_FALSE(inspect(changed).where.line > 2);
        }
}

TEST_CASE("hasura: 1024 sources are read, and no more") {
    std::string text = "[";
    for (int i = 0; i < 1024; ++i) {
        std::string each(one);
        each.replace(each.find("\"a\""), 3, "\"a" + std::to_string(i) + "\"");
        text += (i == 0 ? "" : ",") + each;
    }
    CHECK(inspect(text + "]").what == mistake::none);
    CHECK(inspect(text + "," + std::string(one) + "]").what == mistake::too_many);
}
