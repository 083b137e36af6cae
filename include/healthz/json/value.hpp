// SPDX-License-Identifier: BSL-1.0
// Boost.JSON on both ends: any value into an error's `extra`, and a report out as a value.
// Needs Boost.JSON (its library, or `boost/json/src.hpp` in one of your translation units).
#pragma once

#include "../outcome.hpp"
#include "../report.hpp"
#include "../verdict.hpp"
#include "../write_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

namespace healthz {

/// An ERROR with this `extra`; if its text does not fit, it becomes a string and is cut. So does a text that is not JSON, since
/// a value can contain infinity, strings that are not UTF-8, and nesting that no parser accepts. Allocates.
template <std::size_t Capacity = 1024, std::same_as<boost::json::value> Value>
basic_outcome<Capacity> error(std::string_view message, Value const& extra) {
    auto const text = boost::json::serialize(extra);
    boost::system::error_code ec;
    boost::json::parse(text, ec);
    if (ec) return basic_outcome<Capacity>::error(message, std::string_view(text));
    return basic_outcome<Capacity>::error(message, json_text{text});
}

/// The document as a value, with the sources in declaration order. Allocates.
inline boost::json::value to_value(report_view report) {
    boost::json::parse_options as_deep_as_it_is;
    as_deep_as_it_is.max_depth = 65536;  // bytes of an outcome
    boost::json::object document;
    document.reserve(report.size());
    for (std::size_t i = 0; i < report.size(); ++i) {
        auto const v = report[i];
        if (!v) continue;
        char timestamp[timestamp_size];
        write_timestamp(v->timestamp, timestamp);
        boost::json::object health;
        health["error"] = boost::json::parse({v->error.data(), v->error.size()}, {}, as_deep_as_it_is);
        auto const word = to_string(v->status);
        health["status"] = boost::json::string_view(word.data(), word.size());
        health["timestamp"] = boost::json::string_view(timestamp, timestamp_size);
        document.emplace(boost::json::string_view(v->name.data(), v->name.size()), std::move(health));
    }
    return document;
}

}  // namespace healthz
