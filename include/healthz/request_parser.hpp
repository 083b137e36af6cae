// SPDX-License-Identifier: BSL-1.0
// Reads the header of an HTTP/1 request byte by byte and keeps only what a site looks at: for servers without a buffer for a whole request.
// Part of the core.
#pragma once

#include "credentials.hpp"
#include "endpoint.hpp"
#include "host.hpp"
#include "negotiate.hpp"
#include "text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace healthz {

namespace detail {

/// The fields that are looked at, by their names in lower case. What follows `accept` counts only until its line ends.
enum class request_field : std::uint8_t {
    method,
    path,
    query,
    host,
    role,
    admin_secret,
    access_key,
    authorization,
    accept,
    content_length,
    transfer_encoding,
    connection,
    proxy_connection,
    other
};
inline constexpr std::array<std::string_view, 10> request_field_names{
    "host",   "x-hasura-role",  "x-hasura-admin-secret", "x-hasura-access-key", "authorization",
    "accept", "content-length", "transfer-encoding",     "connection",          "proxy-connection"};
inline constexpr std::size_t longest_field_name = 21;

/// Whether a character may stand in a target: all but controls and blanks.
constexpr bool is_of_target(char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; }

/// Whether a character may stand in the value of a field.
constexpr bool is_of_value(char c) { return c == '\t' || c == ' ' || healthz::detail::is_of_target(c); }

/// How far a request has come.
struct request_progress {
    // Where the next byte stands.
    enum class place : std::uint8_t {
        before,
        before_line_feed,
        method,
        target,
        version,
        line_feed,
        line,
        name,
        before_value,
        value,
        last_line_feed
    };
    struct span {
        std::uint16_t begin = 0, size = 0;
    };

    request_state state_ = request_state::incomplete;
    place place_ = place::before;
    request_field field_{};    // whose value is read
    std::uint8_t count_ = 0;   // of the bytes of the version
    std::uint16_t size_ = 0;   // of the request
    std::uint16_t begin_ = 0;  // of the item that is read
    std::uint16_t end_ = 0;    // of all that is kept
    std::uint16_t most_ = 0;   // that was ever kept of it
    bool http_1_0_ = false, has_host_ = false, has_framing_ = false, has_body_ = false;
    bool closing_ = false, keeping_ = false;  // by the field Connection
    bool repeated_ = false;
    std::array<span, static_cast<std::size_t>(request_field::content_length)> fields_{};
};

}  // namespace detail

/// Reads one request after another of a connection. Each byte is looked at once and in constant memory: `Capacity` bytes for the method,
/// the target and the fields that a site asks for, all together, and for the name or value that is just being read. What has no room there
/// makes the request `too_large`; all other fields are checked and forgotten. A header has at most `max_header_size` bytes. No body is
/// read: behind a request that has one, close.
/// Never allocates, never blocks. Keep one for each connection; at most 60 bytes more than `Capacity`.
///
/// It is as strict as `healthz::server`: RFC 9112 without the leniencies for old clients (no folded lines, no bare line feeds, one Host),
/// and no coding but chunked.
template <std::size_t Capacity = 512>
class request_parser : detail::request_progress {
    static_assert(Capacity >= 128 && Capacity < 32768, "healthz: a request_parser keeps 128 to 32767 bytes");

public:
    /// The most bytes that a request's header may have.
    static constexpr std::size_t max_header_size = 8192;

    /// Takes in what has come and returns how many bytes of it it used: all, unless the request ends before. What is behind belongs to
    /// the next request, for which `next` is to be called.
    constexpr std::size_t put(std::string_view bytes) {
        std::size_t i = 0;
        while (i < bytes.size() && state_ == request_state::incomplete) {
            if (place_ == place::value && field_ == field::other) i += skip(healthz::detail::text_from(bytes, i));
            if (i < bytes.size()) take(bytes[i++]);
        }
        return i;
    }

    /// What the request is.
    constexpr request_state state() const { return state_; }

    /// Whether any byte of a request has come.
    constexpr bool begun() const { return size_ != 0; }

    /// A complete request. Views into this parser: valid until `next`.
    constexpr site_request request() const {
        constexpr std::optional<std::string_view> site_request::*optional[] = {&site_request::role, &site_request::admin_secret,
                                                                               &site_request::access_key, &site_request::authorization,
                                                                               &site_request::accept};
        site_request result{text(field::method), text(field::path), text(field::query)};
        auto which = field::role;  // and on, in the order of `request_field`
        for (auto const member : optional) {
            if (has(which)) result.*member = text(which);
            which = after(which);
        }
        result.repeated = repeated_;
        return result;
    }

    /// The host that it is for: of the target, if that is a whole address, else of the field Host; see `is_allowed_host`.
    constexpr std::string_view host() const { return text(field::host); }

    /// Whether it is a HEAD, whose answer has no body. Also of a request that is not complete.
    constexpr bool is_head() const { return text(field::method) == "HEAD"; }

    /// Whether the client speaks HTTP/1.0, and so has to be told that a connection is kept.
    constexpr bool is_http_1_0() const { return http_1_0_; }

    /// Whether another request can follow on the connection: the client wishes so, and no body is in between.
    constexpr bool keep_alive() const { return !closing_ && (keeping_ || !http_1_0_) && !has_body_ && state_ == request_state::complete; }

    /// Forgets all of this request, its secret too, and begins the next one.
    constexpr void next() {
        for (std::size_t i = 0; i < most_; ++i) text_[i] = '\0';
        static_cast<detail::request_progress&>(*this) = {};
    }

private:
    using field = detail::request_field;

    constexpr std::string_view text(field which) const {
        auto const& at = fields_[static_cast<std::size_t>(which)];
        return {text_.data() + at.begin, at.size};
    }
    // Only the method begins at the front.
    constexpr bool has(field which) const { return fields_[static_cast<std::size_t>(which)].begin != 0; }
    template <class Enumeration>
    static constexpr Enumeration after(Enumeration one) {
        return static_cast<Enumeration>(static_cast<int>(one) + 1);
    }

    constexpr void require(bool holds) {
        if (!holds) state_ = request_state::malformed;
    }

    // Adds a byte to the item that begins at `begin_`.
    constexpr void keep(char c) {
        if (end_ == Capacity) {
            if (state_ == request_state::incomplete) state_ = request_state::too_large;
            return;
        }
        text_[end_++] = c;
        if (end_ > most_) most_ = end_;
    }
    constexpr std::string_view item() const { return {text_.data() + begin_, static_cast<std::size_t>(end_ - begin_)}; }
    constexpr void drop_item() { end_ = begin_; }
    constexpr void set(field which, std::size_t begin, std::size_t end) {
        fields_[static_cast<std::size_t>(which)] = {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end - begin)};
    }
    constexpr void end_item(field which) {
        set(which, begin_, end_);
        begin_ = end_;
    }

    // How many bytes belong to a value that nobody asks for.
    constexpr std::size_t skip(std::string_view bytes) {
        std::size_t const room = max_header_size - size_;
        std::size_t i = 0;
        while (i < bytes.size() && i < room && detail::is_of_value(bytes[i])) ++i;
        size_ = static_cast<std::uint16_t>(size_ + i);
        return i;
    }

    constexpr void take(char c) {
        if (place_ == place::before) {  // empty lines in front of a request do not count (RFC 9112, 2.2)
            if (c == '\r') {
                place_ = place::before_line_feed;
                return;
            }
            place_ = place::method;
        } else if (place_ == place::before_line_feed) {
            require(c == '\n');
            place_ = place::before;
            return;
        }
        if (++size_ > max_header_size) {
            state_ = request_state::too_large;
            return;
        }
        switch (place_) {
            case place::method:
                if (healthz::detail::is_one(detail::of_token, c)) return keep(c);
                end_word(c);
                return end_item(field::method);
            case place::target:
                if (detail::is_of_target(c)) return keep(c);
                end_word(c);
                return end_target();
            case place::version: return take_version(c);
            case place::line_feed:
                require(c == '\n');
                place_ = place::line;
                return;
            case place::line:
                if (c == '\r') {
                    place_ = place::last_line_feed;
                    return;
                }
                place_ = place::name;
                [[fallthrough]];
            case place::name: return take_name(c);
            case place::before_value:
                if (c == ' ' || c == '\t') return;
                place_ = place::value;
                [[fallthrough]];
            case place::value: return take_value(c);
            default: return finish(c);
        }
    }

    // The method and the target end with a blank.
    constexpr void end_word(char c) {
        require(c == ' ' && end_ != begin_);
        place_ = after(place_);
    }

    // A path, or a whole address, whose host counts in place of the field Host (RFC 9112, 3.2.2).
    constexpr void end_target() {
        auto const find = [this](std::size_t i, char one, char other) {
            while (i < end_ && text_[i] != one && text_[i] != other) ++i;
            return i;
        };
        std::size_t path = begin_;
        if (auto const address = healthz::detail::address_in(item())) {
            auto const host = end_ - address->size();
            path = find(host, '/', '?');
            set(field::host, host, path);
            require(host != path && text_[host] != ':' && healthz::detail::is_host(text(field::host)));
            set(field::path, host - 1, host);  // a slash, in place of a path that is not there
        }
        auto const path_end = find(path, '?', '?');
        if (path_end != path) set(field::path, path, path_end);
        if (path_end != end_) set(field::query, path_end + 1, end_);
        begin_ = end_;
    }

    constexpr void take_version(char c) {
        constexpr std::string_view begin = "HTTP/1.";
        if (count_ < begin.size()) {
            require(c == begin[count_]);
        } else if (count_ == begin.size()) {
            require(c == '0' || c == '1');
            http_1_0_ = c == '0';
        } else {
            require(c == '\r');
            place_ = place::line_feed;
        }
        ++count_;
    }

    constexpr void take_name(char c) {
        if (c != ':') {
            require(healthz::detail::is_one(detail::of_token, c));
            // Of a longer name that is none of ours so much as tells.
            if (item().size() <= detail::longest_field_name) keep(c);
            return;
        }
        require(end_ != begin_);
        std::size_t i = 0;
        while (i < detail::request_field_names.size() && !healthz::detail::same_word(item(), detail::request_field_names[i])) ++i;
        field_ = static_cast<field>(i + static_cast<std::size_t>(field::host));
        drop_item();
        place_ = place::before_value;
    }

    constexpr void take_value(char c) {
        if (c == '\r') {
            while (end_ != begin_ && (text_[end_ - 1] == ' ' || text_[end_ - 1] == '\t')) --end_;
            end_value();
            place_ = place::line_feed;
            return;
        }
        require(detail::is_of_value(c));
        if (field_ != field::other) keep(c);
    }

    constexpr void end_value() {
        switch (field_) {
            case field::other: return;
            case field::host:
                require(!has_host_ && healthz::detail::is_host(item()));
                has_host_ = true;
                if (!has(field::host)) return end_item(field_);
                break;
            case field::content_length: take_length(); break;
            case field::transfer_encoding:
                // RFC 9112, 6.1 and 6.3: any other coding, or a length besides, leaves open where the body ends.
                require(!http_1_0_ && !has_framing_ && healthz::detail::same_word(item(), "chunked"));
                has_framing_ = has_body_ = true;
                break;
            case field::connection:
            case field::proxy_connection: take_options(); break;
            case field::accept: return end_item(field_);
            default:
                if (!has(field_)) return end_item(field_);
                repeated_ = true;
        }
        drop_item();
    }

    // RFC 9112, 6.3: one number, which a list of the same ones might stand for. Its value does not matter, but for nothing.
    constexpr void take_length() {
        require(!has_framing_ && end_ != begin_ && item().size() < 20);
        for (char const c : item()) {
            require(healthz::detail::is_one(detail::of_port, c));
            if (c != '0') has_body_ = true;
        }
        has_framing_ = true;
    }

    constexpr void take_options() {
        for (auto rest = item(); !rest.empty();) {
            auto const option = healthz::detail::take_item(rest, ',');
            for (char const c : option) require(healthz::detail::is_one(detail::of_token, c));
            closing_ |= healthz::detail::same_word(option, "close");
            keeping_ |= healthz::detail::same_word(option, "keep-alive");
        }
    }

    // The last byte of the header. RFC 9112, 3.2: a request of HTTP/1.1 has a Host, though that of a whole address counts.
    constexpr void finish(char c) {
        require(c == '\n' && (has_host_ || http_1_0_));
        if (state_ == request_state::incomplete) state_ = request_state::complete;
    }

    std::array<char, Capacity> text_{};
};

}  // namespace healthz
