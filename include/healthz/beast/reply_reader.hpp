// SPDX-License-Identifier: BSL-1.0
// Reads one reply of any length with Beast's parser, and keeps only what a check looks at: no field storage.
// Needs Boost.Beast.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace healthz::beast {

namespace http = boost::beast::http;

/// Parses one reply: keeps the beginning of its body, and looks for `wanted` in all of it. `wanted` must outlive it.
class reply_reader : public http::basic_parser<false> {
public:
    static constexpr std::size_t longest_header = 64 * 1024;
    static constexpr std::size_t longest_beginning = 1024;

    /// The reply to a HEAD has no body, whatever its header says.
    reply_reader(std::string_view wanted, bool is_reply_to_head) : wanted_(wanted), found_(wanted.empty()) {
        body_limit(boost::none);
        eager(true);
        skip(is_reply_to_head);
    }

    /// Parses what has arrived, and returns how much of it is used up. The rest must come again, with more behind it.
    std::size_t receive(boost::asio::const_buffer input, boost::system::error_code& ec) {
        bool const in_header = !is_header_done();
        std::size_t const used = put(input, ec);
        // The parser's own limit starts again at each field that it has taken: a header in pieces would have no end.
        if (in_header) header_size_ += used;
        if (!is_header_done() && header_size_ > longest_header) ec = http::error::header_limit;
        return used;
    }

    int status() const { return status_; }
    /// The value of the field Location.
    std::string const& location() const { return location_; }
    std::string const& beginning() const { return beginning_; }
    /// Whether the body holds what was wanted.
    bool found() const { return found_; }
    /// Whether the real reply is yet to come.
    bool is_informational() const { return status_ >= 100 && status_ < 200 && status_ != 101; }

private:
    using text = boost::beast::string_view;
    using failure = boost::system::error_code;

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
        if (name == http::field::location) location_.assign(value.data(), value.size());
    }
    std::size_t on_body_impl(text body, failure&) override { return take(body); }
    std::size_t on_chunk_body_impl(std::uint64_t, text body, failure&) override { return take(body); }

    void on_request_impl(http::verb, text, text, int, failure&) override {}
    void on_header_impl(failure&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, failure&) override {}
    void on_chunk_header_impl(std::uint64_t, text, failure&) override {}
    void on_finish_impl(failure&) override {}

    std::string_view wanted_;
    bool found_;
    int status_ = 0;
    std::size_t header_size_ = 0;
    std::string location_, beginning_, window_;
};

}  // namespace healthz::beast
