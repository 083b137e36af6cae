// SPDX-License-Identifier: BSL-1.0
// For people and generators: a table of the sources, and an OpenAPI document of the views.
// Part of the core.
#pragma once

#include "declared.hpp"

namespace healthz::detail {

/// Puts a name for a cell of a table in Markdown.
template <class Sink>
constexpr void put_cell(std::string_view text, Sink&& put) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c == '\n' || c == '\r') put(" ");
        else if (std::string_view("|\\`*_<>[]#&").find(c) != std::string_view::npos)
            healthz::detail::put_pieces(put, "\\", text_until(text_from(text, i), 1));
        else put(text_until(text_from(text, i), 1));
    }
}

template <class Sink>
constexpr void put_milliseconds(tick milliseconds, Sink&& put) {
    if (milliseconds % 1000 == 0) healthz::detail::put_pieces(put, milliseconds / 1000, " s");
    else healthz::detail::put_pieces(put, milliseconds, " ms");
}

template <class Sink>
constexpr void write_source_table(declared const& d, Sink&& put) {
    put("| source | prober | interval | timeout | retries | told at the latest |\n|---|---|--:|--:|--:|--:|\n");
    for (std::size_t i = 0; i < d.rows.size(); ++i) {
        auto const& s = d.rows[i].schedule;
        put("| ");
        healthz::detail::put_cell(d.rows[i].name(), put);
        healthz::detail::put_pieces(put, " | ", d.facts[i].kind, " | ");
        healthz::detail::put_milliseconds(s.interval, put);
        put(" | ");
        healthz::detail::put_milliseconds(s.timeout, put);
        healthz::detail::put_pieces(put, " | ", s.retries, " | ");
        healthz::detail::put_milliseconds(d.facts[i].worst_case_detection, put);
        put(" |\n");
    }
}

template <class Sink>
constexpr void write_openapi(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(put, R"({"openapi":"3.1.0","info":{"title":"Sources of )", d.how.name,
                                R"(","version":"1"},"servers":[{"url":"http://)", d.how.address, ":", d.how.port, R"("}],"paths":{)");
    bool first = true;
    for (auto const& each : d.views) {
        healthz::detail::put_pieces(put, first ? "" : ",", "\"", each.path, R"(":{"get":{"operationId":"get)", &each - d.views.data(),
                                    R"(","summary":")", each.role.empty() ? std::string_view("a view") : each.role, "\"");
        if (each.who == access::admin) put(R"(,"security":[{"secret":[]},{"bearer":[]},{"basic":[]}])");
        put(R"(,"responses":{"200":{"description":"OK","content":{)");
        for (std::size_t i = 0; i < each.types.size(); ++i) {
            healthz::detail::put_pieces(put, i == 0 ? "" : ",", "\"", each.types[i], "\":{");
            if (each.is_document) put(R"("schema":{"$ref":"#/components/schemas/Document"})");
            put("}");
        }
        put("}}");
        if (each.who == access::admin)
            put(R"(,"401":{"description":"no secret, or a wrong one"},"400":{"description":"another role than admin"})");
        else put(R"(,"503":{"description":"no"})");
        put("}}}");
        first = false;
    }
    put(R"(},"components":{"securitySchemes":{"secret":{"type":"apiKey","in":"header","name":"X-Hasura-Admin-Secret"},"bearer":{"type":"http","scheme":"bearer"},)"
        R"("basic":{"type":"http","scheme":"basic"}},"schemas":{"HealthStatus":{"type":"object","required":["error","status","timestamp"],"properties":{"error":{"oneOf":[)"
        R"({"type":"null"},{"type":"string"},{"type":"object","required":["message"],"properties":{"message":{"type":"string"},"extra":{}}}]},)"
        R"("status":{"enum":["OK","TIMEOUT","FAILED","ERROR"]},"timestamp":{"type":"string","format":"date-time"}}},"Document":{"type":"object","properties":{)");
    first = true;
    for (auto const& row : d.rows) {
        healthz::detail::put_pieces(put, first ? "\"" : ",\"", row.key(), R"(":{"$ref":"#/components/schemas/HealthStatus"})");
        first = false;
    }
    put("},\"additionalProperties\":false}}}}\n");
}

}  // namespace healthz::detail
