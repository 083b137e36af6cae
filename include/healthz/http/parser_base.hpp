// SPDX-License-Identifier: BSL-1.0
// The common base of our parsers, which hides the differences between versions of Beast.
// Needs Boost.Beast.
#pragma once

#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>

namespace healthz::detail {

namespace http = boost::beast::http;

/// Beast's parser, ignoring all that a reader does not override.
template <bool IsRequest>
class parser_base : public http::basic_parser<IsRequest> {
protected:
    using text = boost::beast::string_view;
    using failure = boost::system::error_code;

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
    virtual void on_chunk_header_impl(std::uint64_t, text, failure&) {}
    virtual std::size_t on_chunk_body_impl(std::uint64_t, text body, failure&) { return body.size(); }
    virtual void on_finish_impl(failure&) {}
};

}  // namespace healthz::detail
