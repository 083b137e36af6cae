// SPDX-License-Identifier: BSL-1.0
// Reads one request with Beast's parser and keeps only what the endpoint looks at: no field storage.
// Needs Boost.Beast.
#pragma once

#include "../endpoint.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <string>
#include <utility>

namespace healthz::beast {

namespace http = boost::beast::http;

/// The strings that one request leaves behind. Kept by the connection, so that their memory serves all its requests.
struct request_fields {
    struct field {
        std::string text;
        bool present = false;

        std::optional<std::string_view> view() const { return present ? std::optional<std::string_view>(text) : std::nullopt; }
    };

    std::string method;
    std::string target;
    field role;
    field admin_secret;
    field access_key;
    unsigned hosts = 0;
    bool expects_continue = false;
    bool http_1_0 = false;

    endpoint_request view() const { return {method, target, role.view(), admin_secret.view(), access_key.view()}; }
};

/// Parses one request. A body is read and dropped, within its limit.
class request_reader : public http::basic_parser<true> {
public:
    request_reader(request_fields& into, std::uint32_t header_limit, std::uint64_t body_limit)
        : fields_(into), header_left_(header_limit) {
        fields_.method.clear();
        fields_.role.present = fields_.admin_secret.present = fields_.access_key.present = false;
        fields_.hosts = 0;
        fields_.expects_continue = false;
        this->header_limit(header_limit);
        this->body_limit(body_limit);
        eager(true);
    }

    /// Parses what has arrived, and returns how much of it is used up. The rest must come again, with more behind it.
    std::size_t receive(boost::asio::const_buffer input, boost::system::error_code& ec) {
        std::size_t used = 0;
        if (!is_header_done()) {
            // The parser's own limit starts again at each field that it has taken: a header in pieces would have no end.
            bool const at_limit = input.size() >= header_left_;
            used = put(boost::asio::buffer(input, header_left_), ec);
            header_left_ -= used;
            if (at_limit && !is_header_done() && ec == http::error::need_more) ec = http::error::header_limit;
            bool const failed = ec && ec != http::error::need_more;
            if (failed || !is_header_done() || is_done()) return used;
        }
        return used + put(input + used, ec);
    }

private:
    using text = boost::beast::string_view;
    using failure = boost::system::error_code;

    void on_request_impl(http::verb, text method, text target, int version, failure&) override {
        fields_.method.assign(method.data(), method.size());
        fields_.target.assign(target.data(), target.size());
        fields_.http_1_0 = version < 11;
    }

    void on_field_impl(http::field name, text name_text, text value, failure& ec) override {
        if (is_header_done()) return;  // a trailer, behind a chunked body: nothing that may decide who is let in
        using boost::beast::iequals;
        auto const keep_first = [value](request_fields::field& slot) {
            if (std::exchange(slot.present, true)) return;
            slot.text.assign(value.data(), value.size());
        };
        if (name == http::field::host) ++fields_.hosts;
        else if (name == http::field::expect) fields_.expects_continue = !fields_.http_1_0 && iequals(value, "100-continue");
        else if (name == http::field::transfer_encoding) require_chunked(value, ec);
        else if (name != http::field::unknown) return;
        else if (iequals(name_text, "X-Hasura-Role")) keep_first(fields_.role);
        else if (iequals(name_text, "X-Hasura-Admin-Secret")) keep_first(fields_.admin_secret);
        else if (iequals(name_text, "X-Hasura-Access-Key")) keep_first(fields_.access_key);
    }

    // RFC 9112, 6.1 and 6.3: any other coding leaves open where the body ends. Beast would take it for no body.
    void require_chunked(text value, failure& ec) const {
        if (fields_.http_1_0 || !boost::beast::iequals(value, "chunked")) ec = http::error::bad_transfer_encoding;
    }

    // RFC 9112, 3.2: a server must refuse an HTTP/1.1 request without exactly one Host.
    void on_header_impl(failure& ec) override {
        if (fields_.hosts > 1 || (fields_.hosts == 0 && !fields_.http_1_0)) ec = http::error::bad_field;
    }

    void on_response_impl(int, text, int, failure&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, failure&) override {}
    std::size_t on_body_impl(text body, failure&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, text, failure&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text body, failure&) override { return body.size(); }
    void on_finish_impl(failure&) override {}

    request_fields& fields_;
    std::size_t header_left_;
};

}  // namespace healthz::beast
