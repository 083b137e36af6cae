// SPDX-License-Identifier: BSL-1.0
// The answer to a request, made when a verdict changes, immutable, and shared by all connections.
// Needs the core and the standard library only.
#pragma once

#include "../endpoint.hpp"
#include "../hosted/live_document.hpp"

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
    document() { publish(); }

    /// Renders `report`. Linear in its size.
    void update(report_view report) {
        live_.update(report);
        publish();
    }

    /// Takes in the latest verdict of source `index` of the report that the last update had. Costs little more than a copy.
    void update(report_view report, std::size_t index) {
        live_.update(report, index);
        publish();
    }

    std::shared_ptr<rendered_document const> latest() const {
        std::lock_guard lock(mutex_);
        return latest_;
    }

private:
    void publish() {
        auto const body = live_.text();
        auto const size = std::to_string(body.size());
        auto next = std::make_shared<rendered_document>();
        next->header_size = common_fields.size() + size.size() + http_header_end.size();
        next->bytes.reserve(next->header_size + body.size());
        next->bytes.append(common_fields).append(size).append(http_header_end).append(body);
        next->all_ok = live_.all_ok();
        std::shared_ptr<rendered_document const> shared = std::move(next);
        std::lock_guard lock(mutex_);
        latest_.swap(shared);
    }

    live_document live_;
    std::mutex mutable mutex_;
    std::shared_ptr<rendered_document const> latest_;
};

}  // namespace healthz::beast
