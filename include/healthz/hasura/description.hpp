// SPDX-License-Identifier: BSL-1.0
// What metadata says of one source, as slices of its text.
// Includes nothing but the core.
#pragma once

#include "json_reader.hpp"
#include "mistake.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz::hasura::detail {

/// Where the text of a setting comes from.
enum class origin : std::uint8_t { nowhere, text, variable, file };

struct setting_slice {
    origin from = origin::nowhere;
    text_slice text;
};

/// What is said of a source. Times in milliseconds.
struct description {
    mistake what = mistake::none;
    std::size_t where = 0;

    text_slice name, kind;
    bool has_check = false;
    std::int64_t interval = 0, timeout = 10'000, retries = 3, retry_interval = 10'000;
    text_slice sql;

    std::size_t at = 0, configuration_at = 0;  // for what is found to be wrong later
    mistake connection_what = mistake::none;   // of the connection, which not all kinds need
    std::size_t connection_where = 0;
    setting_slice connection, user, password;  // the connection: a text of its own, or these parameters
    text_slice host, database;
    int port = 0;
    std::size_t parameters_at = 0;

    constexpr bool has_parameters() const { return parameters_at != 0; }
};

/// Reads one source, which begins at `at`. The rest of its life is that of one call.
class source_reader {
public:
    constexpr source_reader(std::string_view text, std::size_t at) : text_(text), json_(text, at) {}

    constexpr description read() {
        found_.at = json_.at();
        if (json_.peek() != '{') json_.fail(mistake::source_no_object, json_.at());
        found_.at = json_.at();
        text_slice key;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "name")) read_name(key);
            else if (is(key, "kind")) read_kind(key);
            else if (is(key, "configuration")) read_configuration(key);
            else if (is(key, "health_check")) read_check(key);
            else json_.skip();
        }
        if (!found_.name) json_.fail(mistake::no_name, found_.at);
        if (found_.configuration_at == 0) lacks(mistake::no_configuration, found_.at);
        found_.what = json_.what();
        found_.where = json_.where();
        return found_;
    }

private:
    constexpr bool is(text_slice key, std::string_view wanted) const { return healthz::hasura::detail::means(text_, key, wanted); }

    constexpr void once(bool& seen, text_slice key) {
        if (seen) json_.fail(mistake::key_twice, key.at - 1);
        seen = true;
    }

    /// The connection is of no use for this reason; the first one counts.
    constexpr void lacks(mistake what, std::size_t where) {
        if (found_.connection_what != mistake::none) return;
        found_.connection_what = what;
        found_.connection_where = where;
    }

    constexpr void read_name(text_slice key) {
        once(seen_.name, key);
        auto const at = here();
        if (json_.peek() != '"') json_.fail(mistake::name_no_text, at);
        auto const found = json_.string();
        if (!found) return;
        found_.name = found;
        if (found.decoded == 0) json_.fail(mistake::name_empty, at);
        if (found.decoded > 8191) json_.fail(mistake::name_too_long, at);
    }

    constexpr void read_kind(text_slice key) {
        once(seen_.kind, key);
        if (json_.peek() != '"') json_.fail(mistake::kind_no_text, here());
        found_.kind = json_.string();
    }

    constexpr void read_configuration(text_slice key) {
        once(seen_.configuration, key);
        auto const at = here();
        found_.configuration_at = at;
        if (json_.peek() != '{') {
            lacks(mistake::configuration_no_object, at);
            return json_.skip();
        }
        bool info = false;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "connection_info")) {
                once(info, key);
                read_connection_info();
            } else {
                json_.skip();
            }
        }
        if (!info) lacks(mistake::no_connection_info, at);
    }

    constexpr void read_connection_info() {
        auto const at = here();
        if (json_.peek() != '{') {
            lacks(mistake::connection_info_no_object, at);
            return json_.skip();
        }
        text_slice key;
        int connections = 0;
        bool url = false, string = false, parameters = false;
        for (bool first = true; json_.next_member(first, key);) {
            bool const is_url = is(key, "database_url"), is_string = is(key, "connection_string");
            if (is_url || is_string) {
                once(is_url ? url : string, key);
                if (json_.word("null")) continue;
                if (connections++ != 0) lacks(mistake::connection_twice, key.at - 1);
                read_connection();
            } else if (is(key, "connection_parameters")) {
                once(parameters, key);
                if (json_.word("null")) continue;
                if (connections++ != 0) lacks(mistake::connection_twice, key.at - 1);
                read_parameters();
            } else {
                json_.skip();
            }
        }
        if (connections == 0) lacks(mistake::no_connection, at);
    }

    // Parameters may stand in an object of their name, in the place of the URL.
    constexpr void read_connection() {
        if (json_.peek() != '{') {
            found_.connection = read_setting(mistake::connection_type);
            return;
        }
        json_reader ahead = json_;
        text_slice key;
        bool first = true;
        if (ahead.next_member(first, key) && is(key, "connection_parameters")) {
            json_ = ahead;
            read_parameters();
            if (json_.next_member(first, key)) {
                lacks(mistake::connection_twice, key.at - 1);
                do json_.skip();
                while (json_.next_member(first, key));
            }
            return;
        }
        found_.connection = read_setting(mistake::connection_type);
    }

    /// A text, `{"from_env": "NAME"}` or `{"dynamic_from_file": "PATH"}`.
    constexpr setting_slice read_setting(mistake other) {
        auto const at = here();
        setting_slice found;
        char const c = json_.peek();
        if (c == '"') {
            found = {origin::text, json_.string()};
            if (found.text) usable(found.text, at);
            return found;
        }
        if (c != '{') {
            lacks(other, at);
            json_.skip();
            return found;
        }
        text_slice key;
        for (bool first = true; json_.next_member(first, key);) {
            bool const is_variable = is(key, "from_env"), is_file = is(key, "dynamic_from_file");
            auto const value_at = here();
            if (!is_variable && !is_file) {
                json_.skip();
                continue;
            }
            if (found.from != origin::nowhere) json_.fail(mistake::key_twice, key.at - 1);
            auto const reason = is_variable ? mistake::variable : mistake::path;
            if (json_.peek() == '"') {
                found = {is_variable ? origin::variable : origin::file, json_.string()};
                if (found.text && !is_place(found.text, is_variable)) lacks(reason, value_at);
            } else {
                lacks(reason, value_at);
                json_.skip();
            }
        }
        if (found.from == origin::nowhere) lacks(other, at);
        return found;
    }

    constexpr void usable(text_slice slice, std::size_t at) {
        if (slice.decoded == 0) lacks(mistake::value_empty, at);
        if (healthz::hasura::detail::has_zero_byte(text_, slice)) lacks(mistake::value_zero_byte, at);
    }

    constexpr bool is_place(text_slice slice, bool is_variable) const {
        if (slice.decoded == 0 || healthz::hasura::detail::has_zero_byte(text_, slice)) return false;
        return !is_variable || slice.raw(text_).find('=') == std::string_view::npos;
    }

    constexpr void read_parameters() {
        auto const at = here();
        found_.parameters_at = at;
        if (json_.peek() != '{') {
            lacks(mistake::parameters_no_object, at);
            return json_.skip();
        }
        text_slice key;
        bool user = false, password = false, host = false, database = false, port = false;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "username")) {
                once(user, key);
                found_.user = read_setting(mistake::login_type);
            } else if (is(key, "password")) {
                once(password, key);
                if (!json_.word("null")) found_.password = read_setting(mistake::login_type);
            } else if (is(key, "host")) {
                once(host, key);
                found_.host = read_text();
            } else if (is(key, "database")) {
                once(database, key);
                found_.database = read_text();
            } else if (is(key, "port")) {
                once(port, key);
                read_port();
            } else {
                json_.skip();
            }
        }
        if (!user || !host || !database || !port) lacks(mistake::parameter_missing, at);
    }

    constexpr text_slice read_text() {
        auto const at = here();
        if (json_.peek() != '"') {
            lacks(mistake::parameter_type, at);
            json_.skip();
            return {};
        }
        auto const found = json_.string();
        if (found) usable(found, at);
        return found;
    }

    constexpr void read_port() {
        auto const at = here();
        if (!is_number()) {
            lacks(mistake::port, at);
            return json_.skip();
        }
        auto const number = json_.number();
        found_.port = static_cast<int>(number.scaled(0, 65536));
        if (!number.is_whole() || found_.port < 1 || found_.port > 65535) lacks(mistake::port, at);
    }

    constexpr void read_check(text_slice key) {
        once(seen_.check, key);
        if (json_.word("null")) return;
        auto const at = here();
        found_.has_check = true;
        if (json_.peek() != '{') json_.fail(mistake::check_no_object, at);
        bool interval = false, timeout = false, retries = false, pause = false, test = false;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "interval")) {
                once(interval, key);
                found_.interval = read_time(mistake::interval_no_number, mistake::interval_zero);
            } else if (is(key, "timeout")) {
                once(timeout, key);
                if (!json_.word("null")) found_.timeout = read_time(mistake::timeout_no_number, mistake::timeout_zero);
            } else if (is(key, "retries")) {
                once(retries, key);
                if (!json_.word("null")) read_retries();
            } else if (is(key, "retry_interval")) {
                once(pause, key);
                if (!json_.word("null")) found_.retry_interval = read_time(mistake::retry_interval_no_number, mistake::none);
            } else if (is(key, "test")) {
                once(test, key);
                if (!json_.word("null")) read_test();
            } else {
                json_.skip();
            }
        }
        if (!interval) json_.fail(mistake::no_interval, at);
        constexpr std::int64_t longest = std::int64_t{1} << 31;  // the rule of health_check
        if (found_.interval >= longest || found_.timeout >= longest || found_.retry_interval >= longest ||
            found_.interval + (1 + found_.retries) * found_.timeout + found_.retries * found_.retry_interval >= longest)
            json_.fail(mistake::too_long, at);
    }

    constexpr bool is_number() {
        char const c = json_.peek();
        return c == '-' || (c >= '0' && c <= '9');
    }

    /// Seconds, in milliseconds. `not_positive`: none where it may be zero.
    constexpr std::int64_t read_time(mistake no_number, mistake not_positive) {
        auto const at = here();
        if (!is_number()) json_.fail(no_number, at);
        auto const number = json_.number();
        auto const time = number.scaled(3, std::int64_t{1} << 40);
        bool const is_zero = number.mantissa == 0;
        if (not_positive != mistake::none && (is_zero || number.is_negative)) json_.fail(not_positive, at);
        if (number.is_negative && !is_zero) json_.fail(mistake::retry_interval_negative, at);
        if (time == 0 && !is_zero) json_.fail(mistake::too_short, at);
        return time;
    }

    constexpr void read_retries() {
        auto const at = here();
        if (!is_number()) json_.fail(mistake::retries_no_number, at);
        auto const number = json_.number();
        found_.retries = number.scaled(0, 32768);
        if (!number.is_whole() || found_.retries < 0 || found_.retries > 32767) json_.fail(mistake::retries_no_number, at);
    }

    constexpr void read_test() {
        if (json_.peek() != '{') json_.fail(mistake::test_no_object, here());
        text_slice key;
        bool sql = false;
        for (bool first = true; json_.next_member(first, key);) {
            if (is(key, "sql")) {
                once(sql, key);
                auto const at = here();
                if (json_.peek() != '"') json_.fail(mistake::sql_no_text, at);
                found_.sql = json_.string();
                if (found_.sql && found_.sql.decoded == 0) json_.fail(mistake::value_empty, at);
                if (healthz::hasura::detail::has_zero_byte(text_, found_.sql)) json_.fail(mistake::value_zero_byte, at);
            } else {
                json_.skip();
            }
        }
    }

    constexpr std::size_t here() {
        json_.peek();
        return json_.at();
    }

    std::string_view text_;
    json_reader json_;
    description found_;
    struct {
        bool name = false, kind = false, configuration = false, check = false;
    } seen_;
};

}  // namespace healthz::hasura::detail
