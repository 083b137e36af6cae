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
    /// Appends an answer; `latest` is looked at only where the answer is the document.
    void push(answer which, bool head, std::string_view connection, shared_answer const& latest) {
        bool const is_document = which == answer::document || which == answer::strict_document;
        auto const& whole = is_document ? *latest : errors()[static_cast<std::size_t>(which)];
        bool const unavailable = which == answer::strict_document && !latest->all_ok;
        if (!unavailable && !head && connection.empty()) {
            put(whole.bytes);  // one piece costs the system less than three
        } else {
            put(unavailable ? "HTTP/1.1 503 Service Unavailable\r\n" : whole.status_line());
            put(connection);
            put(head ? whole.header() : whole.header_and_body());
        }
        if (is_document) owners_.push_back(latest);
    }

    std::span<net::const_buffer const> buffers() const { return buffers_; }
    bool empty() const { return buffers_.empty(); }
    bool full() const { return buffers_.size() >= 64; }  // as many as one system call takes
    void clear() {
        buffers_.clear();
        owners_.clear();
    }

private:
    static std::vector<rendered_answer> const& errors() {
        static auto const all = [] {
            std::vector<rendered_answer> made(answer_count);
            for (std::size_t i = 2; i < answer_count; ++i) {
                auto const which = static_cast<answer>(i);
                auto const error = error_of(which);
                auto status_line = "HTTP/1.1 " + std::to_string(error.status) + " " + std::string(error.reason) + "\r\n";
                if (which == answer::method_not_allowed) status_line += allow_field;
                made[i] = {status_line, error.body};
            }
            return made;
        }();
        return all;
    }

    void put(std::string_view text) {
        if (!text.empty()) buffers_.emplace_back(text.data(), text.size());
    }

    std::vector<net::const_buffer> buffers_;
    std::vector<shared_answer> owners_;
};

}  // namespace healthz::beast
