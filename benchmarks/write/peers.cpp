// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <boost/json.hpp>
#include <fmt/compile.h>
#include <nlohmann/json.hpp>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <iterator>

void write_boost_json(plain_report const& report, std::string& out) {
    boost::json::object document;
    for (auto const& v : report) {
        boost::json::value error;
        if (!v.message.empty()) error = {{"message", v.message}, {"extra", v.extra}};
        document[v.name] = {{"error", std::move(error)}, {"status", v.status}, {"timestamp", v.timestamp}};
    }
    out = boost::json::serialize(document);
}

void write_nlohmann(plain_report const& report, std::string& out) {
    nlohmann::ordered_json document;
    for (auto const& v : report) {
        nlohmann::ordered_json error;
        if (!v.message.empty()) error = {{"message", v.message}, {"extra", v.extra}};
        document[v.name] = {{"error", std::move(error)}, {"status", v.status}, {"timestamp", v.timestamp}};
    }
    out = document.dump();
}

void write_rapidjson(plain_report const& report, std::string& out) {
    static rapidjson::StringBuffer buffer;
    buffer.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    auto const put = [&writer](std::string const& text) { writer.String(text.data(), static_cast<unsigned>(text.size())); };
    writer.StartObject();
    for (auto const& v : report) {
        put(v.name);
        writer.StartObject();
        writer.Key("error");
        if (v.message.empty()) {
            writer.Null();
        } else {
            writer.StartObject();
            writer.Key("message");
            put(v.message);
            writer.Key("extra");
            put(v.extra);
            writer.EndObject();
        }
        writer.Key("status");
        put(v.status);
        writer.Key("timestamp");
        put(v.timestamp);
        writer.EndObject();
    }
    writer.EndObject();
    out.assign(buffer.GetString(), buffer.GetSize());
}

void write_fmt(plain_report const& report, std::string& out) {
    out.clear();
    auto end = std::back_inserter(out);
    char before = '{';
    for (auto const& v : report) {
        if (v.message.empty()) {
            fmt::format_to(end, FMT_COMPILE("{}\"{}\":{{\"error\":null,\"status\":\"{}\",\"timestamp\":\"{}\"}}"), before, v.name, v.status,
                           v.timestamp);
        } else {
            fmt::format_to(
                end, FMT_COMPILE("{}\"{}\":{{\"error\":{{\"message\":\"{}\",\"extra\":\"{}\"}},\"status\":\"{}\",\"timestamp\":\"{}\"}}"),
                before, v.name, v.message, v.extra, v.status, v.timestamp);
        }
        before = ',';
    }
    out += '}';
}
