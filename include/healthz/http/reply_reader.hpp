// SPDX-License-Identifier: BSL-1.0
// Reads one reply of any length with Beast's parser, and keeps only what a check looks at: no field storage.
// Needs Boost.Beast.
#pragma once

#include "parser_base.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/none.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace healthz::detail {

/// Parses one reply: keeps the beginning of its body, and looks for `wanted` in all of it. `wanted` must outlive it.
class reply_reader : public parser_base<false> {
public:
    static constexpr std::uint32_t longest_header = 64 * 1024;
    static constexpr std::size_t longest_beginning = 1024;

    /// The reply to a HEAD has no body, whatever its header says.
    reply_reader(std::string_view wanted, bool is_reply_to_head) : wanted_(wanted), found_(wanted.empty()) {
        header_limit(longest_header);
        body_limit(boost::none);
        eager(true);
        skip(is_reply_to_head);
    }

    /// Parses what has arrived, and returns how many bytes are consumed. The rest must be passed again, with more bytes after it.
    std::size_t receive(boost::asio::const_buffer input, boost::system::error_code& ec) {
        std::size_t used = 0;
        if (!is_header_done()) {
            // Up to Boost 1.86 the parser's own limit starts again at each field that it has taken: a header in pieces would have no end.
            bool const at_limit = input.size() >= header_left_;
            used = put(boost::asio::buffer(input, header_left_), ec);
            header_left_ -= used;
            if (at_limit && !is_header_done() && ec == http::error::need_more) ec = http::error::header_limit;
            bool const failed = ec && ec != http::error::need_more;
            if (failed || !is_header_done() || is_done()) return used;
        }
        // Up to Boost 1.86 an assertion fails if the parser has seen the last chunk's "0\r\n" and gets fewer than five bytes next. Until
        // it has reported the last chunk, each chunked body has at least five bytes left ("0\r\n\r\n").
        constexpr std::size_t shortest_end = 5;
        if (chunked() && !last_chunk_ && input.size() - used < shortest_end) {
            ec = http::error::need_more;
            return used;
        }
        return used + put(input + used, ec);
    }

    int status() const { return status_; }
    /// The value of the field Location.
    std::string const& location() const { return location_; }
    std::string const& beginning() const { return beginning_; }
    /// Whether the body contains `wanted`.
    bool found() const { return found_; }
    /// Whether this was an interim reply, which the final one follows.
    bool is_informational() const { return status_ >= 100 && status_ < 200 && status_ != 101; }

private:
    std::size_t take(text piece) {
        beginning_.append(piece.data(), std::min(piece.size(), longest_beginning - beginning_.size()));
        if (found_) return piece.size();
        window_.append(piece.data(), piece.size());
        found_ = window_.find(wanted_) != window_.npos;
        // What was wanted may stand across two pieces.
        if (window_.size() >= wanted_.size()) window_.erase(0, window_.size() - wanted_.size() + 1);
        return piece.size();
    }

    void on_response_impl(int code, text, int, failure&) override { status_ = code; }
    void on_field_impl(http::field name, text, text value, failure&) override {
        if (is_header_done()) return;  // a trailer
        if (name == http::field::location) location_.assign(value.data(), value.size());
    }
    void on_chunk_header_impl(std::uint64_t size, text, failure&) override { last_chunk_ = size == 0; }
    std::size_t on_body_impl(text body, failure&) override { return take(body); }
    std::size_t on_chunk_body_impl(std::uint64_t, text body, failure&) override { return take(body); }

    std::string_view wanted_;
    bool found_;
    int status_ = 0;
    std::size_t header_left_ = longest_header;
    bool last_chunk_ = false;
    std::string location_, beginning_, window_;
};

}  // namespace healthz::detail
