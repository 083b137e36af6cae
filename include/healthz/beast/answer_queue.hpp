// SPDX-License-Identifier: BSL-1.0
// The answers of one connection on their way out: each pipelined request adds one, and one write sends them all.
// Needs Boost.Asio.
#pragma once

#include "../endpoint.hpp"
#include "document.hpp"

#include <boost/asio/buffer.hpp>

#include <span>
#include <string>
#include <vector>

namespace healthz::beast {

namespace net = boost::asio;

/// Answers that wait to be written: constant text and shared documents, never copied.
class answer_queue {
public:
    using document_bytes = std::shared_ptr<rendered_document const>;

    /// Appends an answer; `latest` is looked at only where the answer is the document.
    void push(answer which, bool head, std::string_view connection, document_bytes const& latest) {
        if (which == answer::document || which == answer::strict_document) {
            bool const unavailable = which == answer::strict_document && !latest->all_ok;
            put(unavailable ? "HTTP/1.1 503 Service Unavailable\r\n" : "HTTP/1.1 200 OK\r\n");
            put(connection);
            put(head ? latest->header() : std::string_view(latest->bytes));
            owners_.push_back(latest);
        } else {
            auto const& error = errors()[static_cast<std::size_t>(which)];
            put(error.status_line);
            put(connection);
            put(head ? error.rest.header() : std::string_view(error.rest.bytes));
        }
    }

    std::span<net::const_buffer const> buffers() const { return buffers_; }
    bool empty() const { return buffers_.empty(); }
    bool full() const { return buffers_.size() >= 64; }  // as many as one system call takes
    void clear() {
        buffers_.clear();
        owners_.clear();
    }

private:
    struct rendered_error {
        std::string status_line;
        rendered_document rest;
    };

    static std::vector<rendered_error> const& errors() {
        static auto const all = [] {
            std::vector<rendered_error> made(answer_count);
            for (std::size_t i = 2; i < answer_count; ++i) {
                auto const which = static_cast<answer>(i);
                auto const error = error_of(which);
                made[i].status_line = "HTTP/1.1 " + std::to_string(error.status) + " " + std::string(error.reason) + "\r\n";
                if (which == answer::method_not_allowed) made[i].status_line += allow_field;
                auto const header = common_header(error.body.size());
                made[i].rest = {header + std::string(error.body), header.size(), false};
            }
            return made;
        }();
        return all;
    }

    void put(std::string_view text) {
        if (!text.empty()) buffers_.emplace_back(text.data(), text.size());
    }

    std::vector<net::const_buffer> buffers_;
    std::vector<document_bytes> owners_;
};

}  // namespace healthz::beast
