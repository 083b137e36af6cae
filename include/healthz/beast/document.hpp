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

/// A whole response that is good for most requests; for the others, its parts.
struct rendered_answer {
    std::string bytes;             ///< the status line, the common header fields, an empty line, the body
    std::size_t status_size = 0;   ///< how many of these bytes are the status line
    std::size_t header_size = 0;   ///< and how many come before the body
    bool all_ok = false;           ///< what `?strict=true` asks

    rendered_answer() = default;
    rendered_answer(std::string_view status_line, std::string_view body, bool every_source_ok = false) : all_ok(every_source_ok) {
        auto const size = std::to_string(body.size());
        status_size = status_line.size();
        header_size = status_line.size() + common_fields.size() + size.size() + http_header_end.size();
        bytes.reserve(header_size + body.size());
        bytes.append(status_line).append(common_fields).append(size).append(http_header_end).append(body);
    }

    std::string_view status_line() const { return text_until(bytes, status_size); }
    /// What follows the status line, as far as a response to HEAD has it.
    std::string_view header() const { return text_from(text_until(bytes, header_size), status_size); }
    std::string_view header_and_body() const { return text_from(bytes, status_size); }
    std::string_view body() const { return text_from(bytes, header_size); }
};

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

    std::shared_ptr<rendered_answer const> latest() const {
        std::lock_guard lock(mutex_);
        return latest_;
    }

private:
    static constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";

    void publish() {
        std::shared_ptr<rendered_answer const> shared = std::make_shared<rendered_answer>(ok_line, live_.text(), live_.all_ok());
        std::lock_guard lock(mutex_);
        latest_.swap(shared);
    }

    live_document live_;
    std::mutex mutable mutex_;
    std::shared_ptr<rendered_answer const> latest_;
};

}  // namespace healthz::beast
