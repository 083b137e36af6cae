// SPDX-License-Identifier: BSL-1.0
// The answer to a request, made when a verdict changes, immutable, and shared by all connections.
// Needs the core and the standard library only.
#pragma once

#include "../endpoint.hpp"
#include "../write_json.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace healthz::beast {

/// The end of a response's header and its body, in one piece. What differs between responses stands before it.
struct rendered_document {
    std::string bytes;        ///< common header fields, an empty line, the body
    std::size_t header_size;  ///< how many of these bytes come before the body
    bool all_ok;              ///< what `?strict=true` asks

    std::string_view header() const { return std::string_view(bytes).substr(0, header_size); }
    std::string_view body() const { return std::string_view(bytes).substr(header_size); }
};

/// The header fields that all answers have, and the empty line.
inline std::string common_header(std::size_t body_size) {
    return std::string(common_fields) + std::to_string(body_size) + std::string(http_header_end);
}

/// Holds the latest document. `update` is for whoever gets the verdicts; `latest` for any thread, and never waits for more
/// than the exchange of a pointer.
class document {
public:
    document() : latest_(std::make_shared<rendered_document>(rendered_document{common_header(2) + "{}", common_header(2).size(), false})) {}

    /// Renders `report`. Linear in its size.
    void update(report_view report) {
        auto const size = json_size(report);
        auto next = std::make_shared<rendered_document>();
        next->bytes = common_header(size);
        next->header_size = next->bytes.size();
        next->bytes.resize(next->header_size + size);
        write_json(report, std::span(next->bytes).subspan(next->header_size));
        next->all_ok = report.all_ok();
        std::shared_ptr<rendered_document const> shared = std::move(next);
        std::lock_guard lock(mutex_);
        latest_.swap(shared);
    }

    std::shared_ptr<rendered_document const> latest() const {
        std::lock_guard lock(mutex_);
        return latest_;
    }

private:
    std::mutex mutable mutex_;
    std::shared_ptr<rendered_document const> latest_;
};

}  // namespace healthz::beast
