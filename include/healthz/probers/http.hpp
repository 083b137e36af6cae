// SPDX-License-Identifier: BSL-1.0
// http: a server answers an HTTP or HTTPS request as expected.
// Needs Boost.Beast, Boost.Asio, threads (for looking up names) and OpenSSL.
#pragma once

#include "../hosted/login.hpp"
#include "../hosted/redact.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/up_to.hpp"
#include "../hosted/url.hpp"
#include "../http/reply_reader.hpp"
#include "../net/connect.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../tls/certificate.hpp"
#include "../tls/client.hpp"
#include "../tls/connection.hpp"
#include "../tls/options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/error_code.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// OK when the server at `url` answers with a status in `expected_status` and, where one is set, with `expected_text` in the
/// body. A coroutine prober: never blocks the loop. Redirects are not followed. One connection a source, kept from check to
/// check; one that is found dead is silently opened anew once, and the request sent again. A method that may not be sent twice, such
/// as POST, has a connection opened for each check.
/// A reply of any length up to `longest_reply` passes through; of its body only the beginning is kept, for an ERROR.
/// FAILED: a setting is missing or is not what it should be.
struct http {
    static constexpr char const* kind = "http";  ///< as a label of metrics
    struct header {
        char const* name = nullptr;
        setting value = {};
    };
    struct status_range {
        int first = 0;
        int last = 0;

        constexpr status_range() = default;
        constexpr status_range(int only) : first(only), last(only) {}
        constexpr status_range(int from, int to) : first(from), last(to) {}
    };

    /// `http://` or `https://`. A user and password in it are sent by the scheme Basic.
    setting url;
    /// Instead of those in `url`.
    setting user = setting();
    setting password = setting();
    char const* method = "GET";
    /// Sent as they are, and taken for secrets, except for Accept, Content-Type, Host and User-Agent: a reply that quotes
    /// four characters of one is not shown.
    up_to<8, header> headers = {};
    /// The body of the request. It is not taken for a secret, nor is the path of the URL.
    char const* content = "";
    up_to<8, status_range> expected_status = {{200, 299}};
    char const* expected_text = "";
    tls_options tls = {};
    /// ERROR where a certificate of the server's chain is valid for fewer days than this.
    int certificate_days = 0;
    /// Opens a connection for each check and closes it after.
    bool fresh = false;

    static constexpr std::size_t longest_reply = 16 * 1024 * 1024;

    constexpr char const* complaint() const {
        return url.required("healthz: http needs the URL of a server: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<1024>;
    class session;
};

/// The connection of one source. It belongs to the context of its first probe, which must outlive it.
class http::session {
public:
    explicit session(http const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe() {
        request wanted;
        std::string const problem = prepare(wanted);
        if (!problem.empty()) co_return outcome_type::failed(problem);

        bool const keeps = keeps_connection();
        if (!keeps || wanted.origin != origin_) link_.reset();
        origin_ = wanted.origin;
        while (true) {
            // Taken out of the session while in use: an attempt that is given up takes the connection with it.
            auto link = std::move(link_);
            // A certificate that is about to end may have been replaced.
            bool const kept = link && link->is_idle() && !expires_soon(*link);
            if (!kept) {
                outcome_type opened = co_await open(link, wanted);
                if (opened.status() != status::ok) co_return opened;
            }
            answer got;
            co_await exchange(*link, wanted, got);
            if (kept && !got.begun) continue;
            outcome_type result = judge(got, wanted, *link);
            if (got.reusable && keeps) link_ = std::move(link);
            co_return result;
        }
    }

private:
    struct request {
        healthz::url where;
        std::string origin;  // requests of the same origin share a connection
        std::string bytes;
        secrets hidden;  // that the server knows, and may quote
    };

    struct answer {
        std::optional<healthz::detail::reply_reader> reply;
        bool begun = false;     // something came
        bool reusable = false;  // it came in order, and the connection stays open
        std::string message;    // else what went wrong
        std::string extra;
    };

    // Fills in `wanted`, or says which setting is wrong.
    std::string prepare(request& wanted) const {
        std::string problem;
        auto const read = settings_.url.read("url", problem);
        auto const login = detail::login::read(settings_.user, settings_.password, problem);
        if (!problem.empty()) return problem;
        auto const text = login.put_into_url(*read);
        auto where = healthz::url::parse(text);
        bool const is_http = where && (where->scheme == "http" || where->scheme == "https");
        // What is decoded or missed here could end a line of the request.
        if (!is_http || !is_printable(text) || !is_printable(where->host))
            return settings_.url.name("url") + " is not a valid http or https URL";
        wanted.where = std::move(*where);
        auto const files = settings_.tls.read();
        wanted.origin = wanted.where.scheme + "://" + wanted.where.authority();
        for (auto const* each : {&files.ca, &files.cert, &files.key}) wanted.origin += '\n' + *each;
        problem = write_request(wanted);
        keep_secret_query(wanted);
        return problem;
    }

    std::string write_request(request& wanted) const {
        auto const& where = wanted.where;
        std::string_view const verb = settings_.method;
        if (!is_token(verb) || verb == "CONNECT") return "the setting 'method' is not a valid HTTP method";
        boost::beast::http::request<boost::beast::http::string_body> message;
        message.method_string(settings_.method);
        message.target((where.path.empty() ? "/" : where.path) + where.query);
        message.set("Host", where.sent_authority());
        message.set("User-Agent", "healthz");
        message.set("Accept", "*/*");
        if (where.user) {
            auto const secret = where.password.value_or("");
            auto const credentials = base64(*where.user + ":" + secret);
            message.set("Authorization", "Basic " + credentials);
            wanted.hidden.add(where.password ? secret : *where.user);  // a user alone may be a token
            wanted.hidden.add(credentials);
        }
        for (auto const& [name, value] : settings_.headers) {
            if (name == nullptr || !is_token(name)) return "the setting 'headers' has a name that is not valid";
            std::string problem;
            auto const text = value.read("headers", problem);
            if (!text) return problem;
            for (char const c : *text)
                if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F')
                    return value.name("headers") + " is not a valid value of a header";
            message.set(name, *text);
            bool is_secret = true;
            for (std::string_view each : {"Accept", "Content-Type", "Host", "User-Agent"})
                if (boost::beast::iequals(each, name)) is_secret = false;
            // Of `Bearer Xq7Z...` not the scheme, which replies name.
            auto const space = boost::beast::iequals(name, "Authorization") ? text->find(' ') : text->npos;
            if (is_secret) wanted.hidden.add(space < text->npos ? text->substr(space + 1) : *text);
        }
        message.body() = settings_.content;
        message.prepare_payload();
        message.keep_alive(keeps_connection());
        std::ostringstream out;
        out << message;
        wanted.bytes = out.str();
        return std::string();
    }

    // RFC 9110, 9.2.2: where a connection dies without a reply, the server may have done what it was asked for. Then only these may
    // be sent again, which do no more the second time.
    bool keeps_connection() const {
        bool is_idempotent = false;
        for (std::string_view each : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}) is_idempotent |= settings_.method == each;
        return is_idempotent && !settings_.fresh;
    }

    // The values in the query, as they stand there and decoded; no secret is shorter than four characters.
    static void keep_secret_query(request& wanted) {
        std::string_view query = wanted.where.query;
        while (!query.empty()) {
            query.remove_prefix(1);
            auto const part = query.substr(0, query.find('&'));
            auto const value = part.substr(part.find('=') + 1);  // all of it where there is none
            if (value.size() >= 4) wanted.hidden.add(value);
            if (auto const decoded = healthz::detail::percent_decode(value); decoded && decoded->size() >= 4) wanted.hidden.add(*decoded);
            query.remove_prefix(part.size());
        }
    }

    static bool is_printable(std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    }

    // A word of HTTP's own, such as a method or a name.
    static bool is_token(std::string_view text) {
        return !text.empty() && is_printable(text) && text.find_first_of("\"(),/:;<=>?@[\\]{}") == text.npos;
    }

    static std::string base64(std::string const& text) {
        std::string result((text.size() + 2) / 3 * 4 + 1, '\0');
        auto const* const bytes = reinterpret_cast<unsigned char const*>(text.data());
        int const size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()), bytes, static_cast<int>(text.size()));
        result.resize(static_cast<std::size_t>(size));
        return result;
    }

    boost::asio::awaitable<outcome_type> open(std::unique_ptr<healthz::tls_connection>& link, request const& wanted) const {
        auto const& where = wanted.where;
        bool const is_secure = where.scheme == "https";
        std::string port = where.port;
        if (port.empty()) port = is_secure ? "443" : "80";
        healthz::detail::tls_context trust;
        if (is_secure) trust = co_await healthz::detail::make_tls_context(settings_.tls);
        if (is_secure && !trust.context) co_return outcome_type::failed(trust.problem);
        healthz::connected opened = co_await healthz::connect(where.host, port);
        if (!opened.socket) co_return outcome_type::error(opened.message, opened.problem);
        link = std::make_unique<healthz::tls_connection>(std::move(*opened.socket));
        if (!is_secure) co_return outcome_type::ok();
        std::string const problem = co_await link->start_tls(trust.context, where.sent_host());
        if (!problem.empty()) co_return outcome_type::error("TLS error", problem);
        co_return outcome_type::ok();
    }

    // Sends the request and reads the reply to its end.
    boost::asio::awaitable<void> exchange(healthz::tls_connection& link, request const& wanted, answer& got) const {
        boost::system::error_code ec;
        // If this fails, the server may have answered without reading all of it: the reply shows that.
        co_await link.write(boost::asio::buffer(wanted.bytes), ec);
        bool const is_head = std::string_view(settings_.method) == "HEAD";
        got.reply.emplace(settings_.expected_text, is_head);
        boost::beast::flat_buffer input;
        for (std::size_t received = 0; received <= longest_reply;) {
            constexpr std::size_t at_once = 16 * 1024;
            std::size_t const count = co_await link.read_some(input.prepare(at_once), ec);
            input.commit(count);
            received += count;
            got.begun = got.begun || count > 0;
            if (ec) {
                end(got, ec);
                co_return;
            }
            while (!got.reply->is_done()) {
                input.consume(got.reply->receive(input.data(), ec));
                bool const is_endless = input.size() > healthz::detail::reply_reader::longest_header;
                if (ec == boost::beast::http::error::need_more && !is_endless) break;
                if (ec) {
                    got.message = "invalid reply";
                    got.extra = ec == boost::beast::http::error::need_more ? "a line is too long" : ec.message();
                    co_return;
                }
                if (got.reply->is_done() && got.reply->is_informational()) got.reply.emplace(settings_.expected_text, is_head);
                if (input.size() == 0) break;
            }
            if (got.reply->is_done()) {
                got.reusable = got.reply->keep_alive() && got.reply->status() != 101 && input.size() == 0;
                co_return;
            }
        }
        got.message = "invalid reply";
        got.extra = "longer than " + std::to_string(longest_reply) + " bytes";
    }

    // The connection ended: that may be the end of the reply.
    static void end(answer& got, boost::system::error_code ec) {
        bool const closed = ec == boost::asio::error::eof || ec == boost::asio::ssl::error::stream_truncated;
        bool const in_order = ec == boost::asio::error::eof && got.reply->got_some();
        if (in_order) got.reply->put_eof(ec);
        if (in_order && !ec) return;
        std::string_view const how = got.begun ? "in the middle of its reply" : "without a reply";
        got.message = "connection error";
        got.extra = closed ? "the server closed the connection " + std::string(how) : ec.message();
    }

    outcome_type judge(answer const& got, request const& wanted, healthz::tls_connection const& link) const {
        if (!got.message.empty()) return outcome_type::error(got.message, got.extra);
        auto const& reply = *got.reply;
        bool expected = false;
        for (auto const& [first, last] : settings_.expected_status)
            if (first <= reply.status() && reply.status() <= last) expected = true;
        if (expected && reply.found()) return expires_soon(link) ? certificate_warning(link.expiry()) : outcome_type::ok();

        bool const is_redirect = reply.status() >= 300 && reply.status() < 400 && !reply.location().empty();
        auto const said = !expected && is_redirect ? place(reply.location()) : reply.beginning();
        auto const shown = wanted.hidden.shown(said);
        auto const code = std::to_string(reply.status());
        if (!expected && is_redirect) return outcome_type::error("redirect not followed", code + " to " + shown);
        if (!expected) return outcome_type::error("unexpected status " + code, shown);
        return outcome_type::error("expected text not found", shown);
    }

    // A location without what may be a credential: user, password, query.
    static std::string place(std::string const& location) {
        if (location.find('@') == location.npos) return location.substr(0, location.find_first_of("?#"));
        auto const parsed = healthz::url::parse(location);
        if (!parsed) return "a location that is not shown, since it has an '@'";
        return parsed->scheme + "://" + parsed->authority() + parsed->path;
    }

    // In seconds, since a certificate may end after the last nanosecond that the system's clock knows.
    static std::chrono::seconds left(std::chrono::sys_seconds expiry) {
        return expiry - std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    }

    bool expires_soon(healthz::tls_connection const& link) const {
        return settings_.certificate_days > 0 && left(link.expiry()) < std::chrono::days(settings_.certificate_days);
    }

    static outcome_type certificate_warning(std::chrono::sys_seconds expiry) {
        auto const days = std::chrono::floor<std::chrono::days>(left(expiry)).count();
        std::string text = "certificate expires in " + std::to_string(days) + (days == 1 ? " day" : " days");
        if (days == 0) text = "certificate expires within a day";
        if (days < 0) text = "certificate has expired";
        return outcome_type::error(text, "valid until " + healthz::detail::to_text(expiry));
    }

    http const& settings_;
    std::string origin_;
    std::unique_ptr<healthz::tls_connection> link_;
};

}  // namespace healthz
