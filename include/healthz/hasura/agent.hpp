// SPDX-License-Identifier: BSL-1.0
// agent: a data connector agent of Hasura says that it is healthy.
// Needs what probers/http.hpp needs.
#pragma once

#include "../hosted/setting.hpp"
#include "../probers/http.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <utility>

namespace healthz::hasura {

/// OK when the agent at `uri` answers a GET of its path /health with a status from 200 to 299. All that is said of `http` holds.
struct agent {
    static constexpr char const* kind = "agent";  ///< as a label of metrics
    setting uri;                                  ///< `http://` or `https://`, as in backend_configs

    constexpr char const* complaint() const {
        return uri.required("healthz: agent needs the URI of a data connector agent: write .uri = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = http::outcome_type;
    class session;
};

/// The connection of one source, as of `http`.
class agent::session {
public:
    explicit session(agent const& settings) : settings_(settings) {}
    session(session const&) = delete;  // what asks refers to what is here
    session& operator=(session const&) = delete;

    boost::asio::awaitable<outcome_type> probe() {
        std::string problem;
        auto const found = settings_.uri.read("uri", problem);
        if (!found) co_return outcome_type::failed(problem);
        auto url = *found;
        while (url.ends_with('/')) url.pop_back();
        url += "/health";
        if (!http_ || url != url_) {
            http_.reset();
            url_ = std::move(url);
            asked_.url = setting(url_.c_str());
            http_.emplace(asked_);
        }
        outcome_type result = co_await http_->probe();
        co_return result;
    }

private:
    agent const& settings_;
    std::string url_;
    http asked_;
    std::optional<http::session> http_;
};

}  // namespace healthz::hasura
