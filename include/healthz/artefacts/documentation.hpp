// SPDX-License-Identifier: BSL-1.0
// For people and generators: a table of the sources, and an OpenAPI document of the views.
// Part of the core.
#pragma once

#include "../cycle.hpp"
#include "../text.hpp"
#include "../view.hpp"
#include "../views/table.hpp"
#include "declared.hpp"

#include <array>
#include <cstddef>
#include <string_view>

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

/// What the queries of a view are, and with which answers it says no.
struct openapi_extra {
    std::string_view role, parameters, unavailable;
};
inline constexpr std::string_view probe_parameters =
    R"({"name":"verbose","in":"query","schema":{"type":"string"}},{"name":"exclude","in":"query","schema":{"type":"array","items":{"type":"string"}}})";
inline constexpr std::array openapi_extras{
    openapi_extra{"document",
                  R"({"name":"strict","in":"query","schema":{"const":"true"}},{"name":"verbose","in":"query","schema":{"const":"true"}})",
                  "with strict=true: a source is not OK"},
    openapi_extra{"live", probe_parameters, "the checks stand still, or a source is not OK that it names"},
    openapi_extra{"ready", probe_parameters, "a source is not OK or was not checked yet, or the program is about to end"},
    openapi_extra{"startup", probe_parameters, "a source was not checked yet"},
};

/// One path; `part` is its last segment, a parameter, and `schema` of what it answers in JSON.
template <class Sink>
constexpr void put_openapi_path(declared const& d, view_entry const& view, std::string_view part, std::string_view schema, Sink&& put) {
    bool const is_part = !part.empty();
    healthz::detail::put_pieces(put, "\"", view.path, is_part ? "/" : "", part, R"(":{"get":{"operationId":"get)", &view - d.views.data(),
                                is_part ? "_one" : "", R"(","summary":")", view.role.empty() ? std::string_view("a view") : view.role,
                                "\"");
    openapi_extra extra{};
    for (auto const& each : openapi_extras)
        if (each.role == view.role && !is_part) extra = each;
    if (is_part) extra.parameters = R"({"name":"name","in":"path","required":true,"schema":{"type":"string"}})";
    if (!extra.parameters.empty()) healthz::detail::put_pieces(put, R"(,"parameters":[)", extra.parameters, "]");
    if (view.who == access::admin) put(R"(,"security":[{"secret":[]},{"bearer":[]},{"basic":[]}])");
    put(R"(,"responses":{"200":{"description":"OK","content":{)");
    for (std::size_t i = 0; i < view.types.size(); ++i) {
        healthz::detail::put_pieces(put, i == 0 ? "" : ",", "\"", view.types[i], "\":{");
        if (!schema.empty()) healthz::detail::put_pieces(put, R"("schema":{"$ref":"#/components/schemas/)", schema, "\"}");
        put("}");
    }
    put("}}");
    if (view.who == access::admin)
        put(R"(,"401":{"description":"no secret, or a wrong one"},"400":{"description":"another role than admin"})");
    if (is_part) put(R"(,"404":{"description":"there is no such source, or it has no verdict yet"})");
    if (!extra.unavailable.empty()) healthz::detail::put_pieces(put, R"(,"503":{"description":")", extra.unavailable, "\"}");
    put(R"(,"default":{"description":"another method, path or host, or no valid request","content":{"application/json":{}}}}}})");
}

template <class Sink>
constexpr void write_openapi(declared const& d, Sink&& put) {
    healthz::detail::put_pieces(put, R"({"openapi":"3.1.0","info":{"title":"Sources of )", d.how.name,
                                R"(","version":"1"},"servers":[{"url":"http://)");
    d.put_address(put);
    healthz::detail::put_pieces(put, ":", d.how.port, R"("}],"paths":{)");
    bool first = true;
    for (auto const& each : d.views) {
        if (!first) put(",");
        healthz::detail::put_openapi_path(d, each, {}, each.is_document ? "Document" : "", put);
        if (each.is_document) put(",");
        if (each.is_document) healthz::detail::put_openapi_path(d, each, "{name}", "HealthStatus", put);
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
