// SPDX-License-Identifier: BSL-1.0
// The endpoint as a function from request to response, to be mounted in any Beast server.
// Needs Boost.Beast.
#pragma once

#include "../endpoint.hpp"
#include "../hosted/admin_secret.hpp"
#include "../hosted/shared_document.hpp"
#include "../response.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz::beast {

/// The document that the endpoint serves: `update` it at each verdict.
using document = shared_document;

namespace detail {

/// A Beast body that is a piece of a shared document: sending it copies nothing.
struct shared_body {
    struct value_type {
        healthz::detail::shared_answer owner;
        std::string_view text;
    };

    static std::uint64_t size(value_type const& body) { return body.text.size(); }

    class writer {
    public:
        using const_buffers_type = boost::asio::const_buffer;

        template <bool IsRequest, class Fields>
        writer(boost::beast::http::header<IsRequest, Fields> const&, value_type const& body) : text_(body.text) {}

        void init(boost::system::error_code& ec) { ec = {}; }
        boost::optional<std::pair<const_buffers_type, bool>> get(boost::system::error_code& ec) {
            ec = {};
            return {{const_buffers_type(text_.data(), text_.size()), false}};
        }

    private:
        std::string_view text_;
    };
};

/// Throws std::invalid_argument if `policy` has a `problem()`, such as an environment variable that is not set.
template <authorization Auth>
void require_usable(Auth const& policy) {
    if constexpr (requires { policy.problem(); }) {
        if (!policy.problem().empty()) throw std::invalid_argument("healthz: " + policy.problem());
    }
}

}  // namespace detail

/// Answers requests for the document. No I/O: it starts no probe and waits for none. Thread safe.
/// The `document` must outlive it.
template <authorization Auth>
class endpoint {
public:
    /// A temporary does not compile.
    template <class Path = std::string>
    endpoint(document const&& source, Auth policy, Path = {}) : document_(source), auth_(std::move(policy)) {
        static_assert(std::is_void_v<Path>, "healthz: the document of an endpoint must outlive it: give it one that has a name");
    }

    /// Throws std::invalid_argument if the policy's secret is not set.
    endpoint(document const& source, Auth policy, std::string path = std::string(default_path))
        : document_(source), auth_(std::move(policy)), path_(std::move(path)) {
        healthz::beast::detail::require_usable(auth_);
    }

    /// Whether a request for `target` is for this endpoint.
    bool owns(std::string_view target) const { return healthz::path_of(target) == path_; }

    /// The whole answer; 404 for a target that it does not own. Keep-alive is as the request asks.
    template <class Body, class Fields>
    boost::beast::http::response<detail::shared_body> operator()(boost::beast::http::request<Body, Fields> const& request) const {
        namespace http = boost::beast::http;
        auto const target = request.target();
        auto const method = request.method_string();
        endpoint_request const seen{
            {method.data(), method.size()},
            {target.data(), target.size()},
            field(request, role_field),
            field(request, admin_secret_field),
            field(request, access_key_field),
            is_repeated(request, role_field) || is_repeated(request, admin_secret_field) || is_repeated(request, access_key_field)};
        auto const which = healthz::decide(seen, path_, auth_);
        http::response<detail::shared_body> response;
        response.version(request.version());
        if (which == answer::document || which == answer::strict_document) {
            auto const latest = document_.latest();
            bool const unavailable = which == answer::strict_document && !latest->all_ok;
            response.result(unavailable ? http::status::service_unavailable : http::status::ok);
            response.body() = {latest, latest->body()};
        } else {
            auto const error = healthz::error_of(which);
            response.result(error.status);
            response.body() = {nullptr, error.body};
            if (which == answer::method_not_allowed) response.set(http::field::allow, "GET, HEAD");
            if (error.status == 401) response.set(http::field::www_authenticate, text(challenge));
        }
        response.set(http::field::content_type, "application/json");
        response.set(http::field::cache_control, "no-store");
        response.set("X-Content-Type-Options", "nosniff");
        auto const line = healthz::date_field(std::chrono::sys_seconds(std::chrono::seconds(std::time(nullptr))));
        response.set(http::field::date, text({line.data() + 6, line.size() - 8}));
        response.keep_alive(request.keep_alive());
        response.content_length(response.body().text.size());
        if (request.method() == http::verb::head) response.body().text = {};
        return response;
    }

private:
    static constexpr char const* role_field = "X-Hasura-Role";
    static constexpr char const* admin_secret_field = "X-Hasura-Admin-Secret";
    static constexpr char const* access_key_field = "X-Hasura-Access-Key";

    static boost::beast::string_view text(std::string_view ours) { return {ours.data(), ours.size()}; }

    template <class Fields>
    static bool is_repeated(Fields const& fields, char const* name) {
        return fields.count(name) > 1;
    }

    template <class Fields>
    static std::optional<std::string_view> field(Fields const& fields, char const* name) {
        auto const found = fields.find(name);
        if (found == fields.end()) return std::nullopt;
        return std::string_view(found->value().data(), found->value().size());
    }

    document const& document_;
    Auth auth_;
    std::string path_;
};

}  // namespace healthz::beast
