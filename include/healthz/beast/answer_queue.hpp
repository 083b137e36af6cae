// SPDX-License-Identifier: BSL-1.0
// The answers of one connection that are to be sent: each pipelined request adds one, and one write sends them all.
// Needs Boost.Asio.
#pragma once

#include "../endpoint.hpp"
#include "../hosted/shared_document.hpp"

#include <boost/asio/buffer.hpp>

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::beast::detail {

namespace net = boost::asio;

/// Answers that wait to be written: shared, never copied.
class answer_queue {
public:
    /// Appends an answer, of which `whole` has the bytes, but for the status where it is `unavailable`. `connection` is that header field
    /// as a line, or empty.
    void push(bool unavailable, bool head, std::string_view connection, healthz::detail::shared_answer whole) {
        if (!unavailable && !head && connection.empty()) {
            put(whole->bytes);  // one piece costs the system less than three
        } else {
            put(unavailable ? "HTTP/1.1 503 Service Unavailable\r\n" : whole->status_line());
            put(connection);
            put(head ? whole->header() : whole->header_and_body());
        }
        owners_.push_back(std::move(whole));
    }

    std::span<net::const_buffer const> buffers() const { return buffers_; }
    bool empty() const { return buffers_.empty(); }
    bool full() const { return buffers_.size() >= 64; }  // as many as one system call takes
    void clear() {
        buffers_.clear();
        owners_.clear();
    }

private:
    void put(std::string_view text) {
        if (!text.empty()) buffers_.emplace_back(text.data(), text.size());
    }

    std::vector<net::const_buffer> buffers_;
    std::vector<healthz::detail::shared_answer> owners_;
};

}  // namespace healthz::beast::detail
