// SPDX-License-Identifier: BSL-1.0
// The same document, written by general JSON libraries the way their users do.
#pragma once

#include <string>
#include <vector>

/// What a writer is given: times are rendered already, texts are not escaped yet.
struct plain_verdict {
    std::string name, status, message, extra, timestamp;
};
using plain_report = std::vector<plain_verdict>;

/// Writes the document into `out`, whose memory is kept from call to call.
void write_boost_json(plain_report const& report, std::string& out);
void write_nlohmann(plain_report const& report, std::string& out);
void write_rapidjson(plain_report const& report, std::string& out);
/// {fmt} escapes nothing, which spares it that work.
void write_fmt(plain_report const& report, std::string& out);
