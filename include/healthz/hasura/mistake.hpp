// SPDX-License-Identifier: BSL-1.0
// What can be wrong with a text of metadata: one sentence each, the same while compiling and when it runs.
// Includes nothing but the core.
#pragma once

#include "../complaint.hpp"

#include <cstdint>
#include <string_view>

namespace healthz::hasura {

namespace detail {

// Each mistake and its sentence; `sources` tells them while compiling.
// clang-format off
#define HEALTHZ_HASURA_MISTAKES(is)                                                                                            \
    is(empty, "this metadata is empty")                                                                                        \
    is(byte_order_mark, "this metadata begins with a byte order mark: save it as UTF-8 without one")                           \
    is(utf_16, "this metadata is UTF-16 or UTF-32: save it as UTF-8")                                                          \
    is(not_utf8, "this metadata is not UTF-8 here: save it as UTF-8")                                                          \
    is(not_json, "this metadata is no JSON here: a value is missing or misspelt")                                              \
    is(truncated, "this metadata is no JSON: it ends before its last value does")                                              \
    is(no_key, "this metadata is no JSON here: a key in double quotes must stand here")                                        \
    is(no_colon, "this metadata is no JSON here: a colon must stand between a key and its value")                              \
    is(no_comma, "this metadata is no JSON here: a comma or a closing bracket must stand here")                                \
    is(control, "this metadata is no JSON here: a control character in a text must be escaped")                                \
    is(escape, "this metadata is no JSON here: there is no such escape")                                                       \
    is(surrogate, "this metadata has half of a surrogate pair here: write both halves, or the character itself")               \
    is(more_text, "this metadata is no JSON: something stands after its end")                                                  \
    is(too_deep, "this metadata is nested more than 64 deep here")                                                             \
    is(too_large, "this metadata is too large")                                                                                \
    is(no_metadata, "this is JSON, but no metadata: it must be an object with sources, or their array")                        \
    is(version, "this metadata is not of version 3, the only one that has sources")                                            \
    is(key_twice, "this key stands twice in its object: remove one of them")                                                   \
    is(sources_no_array, "the sources of this metadata are no array")                                                          \
    is(source_no_object, "this source is no object")                                                                           \
    is(too_many, "this metadata has more than 1024 sources")                                                                   \
    is(none_checked, "no source of this metadata has a health_check: write one, or give the times of those that have none")    \
    is(no_name, "this source has no name")                                                                                     \
    is(name_no_text, "the name of this source is no text")                                                                     \
    is(name_empty, "the name of this source is empty")                                                                         \
    is(name_too_long, "the name of this source is longer than 8191 bytes")                                                     \
    is(name_twice, "two sources have this name: rename one of them")                                                           \
    is(kind_no_text, "the kind of this source is no text")                                                                     \
    is(kind_unknown, "the kind of this source is not known, nor an agent of backend_configs: map it to a prober")              \
    is(no_configuration, "this source has no configuration")                                                                   \
    is(configuration_no_object, "the configuration of this source is no object")                                               \
    is(no_connection_info, "the configuration of this source has no connection_info")                                          \
    is(connection_info_no_object, "the connection_info of this source is no object")                                           \
    is(no_connection, "the connection_info of this source has no database_url, connection_string or connection_parameters")    \
    is(connection_twice, "the connection_info of this source has more than one connection: leave one of them")                 \
    is(connection_type, "the connection of this source must be a text, {\"from_env\": ...} or {\"dynamic_from_file\": ...}")   \
    is(value_empty, "this text of the source is empty")                                                                        \
    is(value_zero_byte, "this text of the source has a zero byte in it")                                                       \
    is(variable, "from_env must be the name of an environment variable, and this is none")                                     \
    is(path, "dynamic_from_file must be the path of a file, and this is none")                                                 \
    is(parameters_no_object, "the connection_parameters of this source are no object")                                         \
    is(parameters_not_here, "connection_parameters are for PostgreSQL: write a connection_string")                             \
    is(parameter_missing, "the connection_parameters of this source need username, database, host and port")                   \
    is(parameter_type, "this connection parameter must be a text")                                                             \
    is(login_type, "this connection parameter must be a text, {\"from_env\": ...} or {\"dynamic_from_file\": ...}")            \
    is(port, "the port of this source is no whole number from 1 to 65535")                                                     \
    is(agent_uri, "the agent of this kind has no uri in backend_configs that is a text or {\"from_env\": ...}")                \
    is(check_no_object, "the health_check of this source is no object")                                                        \
    is(no_interval, "the health_check of this source has no interval: write the seconds from one check to the next")           \
    is(interval_no_number, "the interval of this source is no number of seconds")                                              \
    is(interval_zero, "the interval of this source is not above zero: write the seconds from one check to the next")           \
    is(timeout_no_number, "the timeout of this source is no number of seconds")                                                \
    is(timeout_zero, "the timeout of this source is not above zero: write the seconds that an attempt may take")               \
    is(too_short, "this time of the source is shorter than a millisecond")                                                     \
    is(retries_no_number, "the retries of this source are no whole number from 0 to 32767")                                    \
    is(retry_interval_no_number, "the retry_interval of this source is no number of seconds")                                  \
    is(retry_interval_negative, "the retry_interval of this source is negative: write 0 for no pause")                         \
    is(too_long, "a check of this source and its interval can last longer than 24 days: write shorter times")                  \
    is(test_no_object, "the test of this source is no object")                                                                 \
    is(sql_no_text, "the sql of this source's test is no text")
// clang-format on

}  // namespace detail

/// What is wrong with a text of metadata.
enum class mistake : std::uint8_t {
    none,
#define HEALTHZ_HASURA_ENUMERATOR(name, sentence) name,
    HEALTHZ_HASURA_MISTAKES(HEALTHZ_HASURA_ENUMERATOR)
#undef HEALTHZ_HASURA_ENUMERATOR
};

/// The sentence for it, without the "healthz: " that it begins with in a compile error; empty for `mistake::none`.
constexpr std::string_view to_string(mistake m) {
    switch (m) {
#define HEALTHZ_HASURA_SENTENCE(name, sentence) \
    case mistake::name: return sentence;
        HEALTHZ_HASURA_MISTAKES(HEALTHZ_HASURA_SENTENCE)
#undef HEALTHZ_HASURA_SENTENCE
        case mistake::none: break;
    }
    return {};
}

}  // namespace healthz::hasura
