// SPDX-License-Identifier: BSL-1.0
// Reads the header of one request with Beast's parser and keeps only what the endpoint looks at: no field storage, no body.
// Needs Boost.Beast.
#pragma once

#include "../credentials.hpp"
#include "../endpoint.hpp"
#include "../host.hpp"
#include "../text.hpp"
#include "parser_base.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// The fields of one request that are used. Views into the bytes that it was read from, so that nothing is copied, least of all a
/// secret; valid until these bytes move.
struct request_fields {
    std::string_view method;
    std::string_view target;
    std::string_view host;  ///< of the target if that is a whole address, else of the field Host
    std::optional<std::string_view> role;
    std::optional<std::string_view> admin_secret;
    std::optional<std::string_view> access_key;
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> accept;
    bool repeated = false;  ///< one of those from the role to the authorization is there twice, and it is unclear which counts
    bool http_1_0 = false;
    bool keep_alive = false;  ///< false if a body follows, which is not read

    endpoint_request view() const { return {method, target, role, admin_secret, access_key, repeated}; }
    site_request for_site() const {
        auto const query = healthz::detail::text_after(target, '?');
        return {method, healthz::path_of(target), query, role, admin_secret, access_key, authorization, accept, repeated};
    }
};

/// Beast's parser for what comes whole, up to the end of the header.
class header_parser : public parser_base<true> {
public:
    explicit header_parser(request_fields& into) : fields_(into) {
        fields_ = {};
        header_limit(std::numeric_limits<std::uint32_t>::max());  // the reader has its own
        skip(true);                                               // the body
    }

private:
    void on_request_impl(http::verb, text method, text target, int version, failure&) override {
        fields_.method = {method.data(), method.size()};
        fields_.target = {target.data(), target.size()};
        fields_.http_1_0 = version < 11;
    }

    void on_field_impl(http::field name, text name_text, text value_text, failure& ec) override {
        using boost::beast::iequals;
        std::string_view const value(value_text.data(), value_text.size());
        if (is_folded(name_text, value)) ec = http::error::bad_value;
        auto const decides = [&](std::optional<std::string_view>& slot) {
            if (slot) fields_.repeated = true;
            else slot = value;
        };
        if (name == http::field::host) take_host(value, ec);
        else if (name == http::field::transfer_encoding) require_chunked(value, ec);
        else if (name == http::field::authorization) decides(fields_.authorization);
        else if (name == http::field::accept) fields_.accept = value;
        else if (name != http::field::unknown) return;
        else if (iequals(name_text, "X-Hasura-Role")) decides(fields_.role);
        else if (iequals(name_text, "X-Hasura-Admin-Secret")) decides(fields_.admin_secret);
        else if (iequals(name_text, "X-Hasura-Access-Key")) decides(fields_.access_key);
    }

    // RFC 9112, 5.2: a value that goes on in the next line is to be refused, since not all read it alike. Beast hands over a copy of
    // it, or what stands in the later line: in any case it is not where a value begins.
    static bool is_folded(text name, std::string_view value) {
        auto begin = name.data() + name.size() + 1;
        while (*begin == ' ' || *begin == '\t') ++begin;
        return begin != value.data();
    }

    // RFC 9112, 3.2: at most one Host, and a valid one.
    void take_host(std::string_view value, failure& ec) {
        if (std::exchange(has_host_, true) || !healthz::detail::is_host(value)) ec = http::error::bad_field;
        fields_.host = value;
    }

    // RFC 9112, 6.1 and 6.3: any other coding leaves open where the body ends. Beast would take it for no body.
    void require_chunked(std::string_view value, failure& ec) const {
        if (fields_.http_1_0 || !healthz::detail::same_word(value, "chunked")) ec = http::error::bad_transfer_encoding;
    }

    // RFC 9112, 3.2: a request of HTTP/1.1 has a Host, though that of a whole address counts (3.2.2). RFC 9110, 4.2: which has
    // one that is not empty, and no user.
    void on_header_impl(failure& ec) override {
        if (!has_host_ && !fields_.http_1_0) ec = http::error::bad_field;
        if (auto const address = healthz::detail::address_in(fields_.target)) {
            fields_.host = text_until(*address, std::min(address->find_first_of("/?"), address->size()));
            if (healthz::detail::without_port(fields_.host).empty() || !healthz::detail::is_host(fields_.host))
                ec = http::error::bad_target;
        }
    }

    request_fields& fields_;
    bool has_host_ = false;
};

/// Reads one request. The result depends on the bytes alone, not on the pieces in which they came: each time all of them are parsed,
/// by a new parser. The usual request comes in one piece.
class request_reader {
public:
    request_reader(request_fields& into, std::size_t header_limit) : fields_(into), limit_(header_limit) {}

    /// `bytes` are all that have come since the first of the request. Not to be called again once it has returned something else
    /// than `incomplete`. Of an incomplete request there are the method and the target, if these have come, while this reader lives.
    request_state read(std::string_view bytes) {
        auto const state = judge(bytes);
        if (state != request_state::incomplete) return state;
        std::string begin(fields_.method);  // a copy of its own, since the fields may be in `begin_` already
        begin.append(fields_.target);
        auto const method_size = fields_.method.size();
        begin_ = std::move(begin);
        fields_.method = text_until(begin_, method_size);
        fields_.target = text_from(begin_, method_size);
        return state;
    }

    /// How many bytes the header has, once it is complete.
    std::size_t size() const { return size_; }

private:
    request_state judge(std::string_view bytes) {
        auto const unfinished = bytes.size() < limit_ ? request_state::incomplete : request_state::too_large;
        bytes = bytes.substr(0, limit_);
        if (lines_ != 0 && bytes.find('\n', lines_) == bytes.npos) return unfinished;
        if (parse(bytes) == request_state::complete) return request_state::complete;
        // Of an incomplete header only whole lines are parsed, so that a client that sends single bytes costs one parsing per line.
        lines_ = bytes.rfind('\n') + 1;
        auto const state = parse(lines_ == 0 ? bytes : bytes.substr(0, lines_));
        if (state == request_state::incomplete && lines_ != 0 && fields_.method.empty()) return request_state::malformed;
        return state == request_state::incomplete ? unfinished : state;
    }

    request_state parse(std::string_view bytes) {
        header_parser parser(fields_);
        boost::system::error_code ec;
        size_ = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
        if (ec) return ec == http::error::need_more ? request_state::incomplete : request_state::malformed;
        fields_.keep_alive = parser.keep_alive() && !parser.chunked() && parser.content_length().value_or(0) == 0;
        return request_state::complete;
    }

    request_fields& fields_;
    std::size_t limit_;
    std::size_t size_ = 0;
    std::string begin_;
    std::size_t lines_ = 0;  // how many bytes the lines have that were judged
};

}  // namespace healthz::detail
