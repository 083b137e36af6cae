// SPDX-License-Identifier: BSL-1.0
// What both of our parsers do with Beast's, whose versions differ.
// Needs Boost.Beast.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace healthz::beast {

namespace http = boost::beast::http;

/// Beast's parser, which no peer can make abort the program, and which ignores all that a reader does not override.
template <bool IsRequest>
class parser_base : public http::basic_parser<IsRequest> {
public:
    /// Parses what has arrived, and returns how much of it is used up. The rest must come again, with more behind it.
    std::size_t receive(boost::asio::const_buffer input, boost::system::error_code& ec) {
        std::size_t used = 0;
        if (!this->is_header_done()) {
            // Up to Boost 1.86 the parser's own limit starts again at each field that it has taken: a header in pieces would have no end.
            bool const at_limit = input.size() >= header_left_;
            used = this->put(boost::asio::buffer(input, header_left_), ec);
            header_left_ -= used;
            if (at_limit && !this->is_header_done() && ec == http::error::need_more) ec = http::error::header_limit;
            bool const failed = ec && ec != http::error::need_more;
            if (failed || !this->is_header_done() || this->is_done()) return used;
        }
        // Up to Boost 1.86 an assertion fails where the last chunk's "0\r\n" was seen and fewer than five bytes come next. So many
        // are yet to come of each chunked body ("0\r\n\r\n"), until a parser that takes the end in pieces has told of the last chunk.
        constexpr std::size_t shortest_end = 5;
        if (this->chunked() && !last_chunk_ && input.size() - used < shortest_end) {
            ec = http::error::need_more;
            return used;
        }
        return used + this->put(input + used, ec);
    }

protected:
    using text = boost::beast::string_view;
    using failure = boost::system::error_code;

    explicit parser_base(std::uint32_t header_limit) : header_left_(header_limit) {
        this->header_limit(header_limit);
        this->eager(true);
    }

    // None is marked as overriding, since on_trailer_field_impl does so from Boost 1.90 on only, and clang wants all or none.
    // Before, such a field is refused as it would be in the header, or else comes as any other by on_field_impl.
    virtual void on_trailer_field_impl(http::field name, text, text, failure& ec) {
        if (name == http::field::content_length) ec = http::error::bad_content_length;
        if (name == http::field::transfer_encoding) ec = http::error::bad_transfer_encoding;
    }
    virtual void on_request_impl(http::verb, text, text, int, failure&) {}
    virtual void on_response_impl(int, text, int, failure&) {}
    virtual void on_header_impl(failure&) {}
    virtual void on_body_init_impl(boost::optional<std::uint64_t> const&, failure&) {}
    virtual std::size_t on_body_impl(text body, failure&) { return body.size(); }
    virtual void on_chunk_header_impl(std::uint64_t size, text, failure&) { last_chunk_ = size == 0; }
    virtual std::size_t on_chunk_body_impl(std::uint64_t, text body, failure&) { return body.size(); }
    virtual void on_finish_impl(failure&) {}

private:
    std::size_t header_left_;
    bool last_chunk_ = false;
};

}  // namespace healthz::beast
