// SPDX-License-Identifier: BSL-1.0
// The options of a server: where it listens, who may ask, what is told to whom.
// Needs Boost.Beast.
#pragma once

#include "../asio/runner.hpp"
#include "../hosted/any_authorization.hpp"
#include "../hosted/event_handler.hpp"
#include "../hosted/systemd.hpp"
#include "../view.hpp"
#include "limits.hpp"
#include "listener.hpp"
#include "refusals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace healthz::beast {

namespace detail {

/// How connections are wrapped: not at all, unless it is given something that listens otherwise.
class any_transport {
public:
    any_transport() = default;
    template <class Transport>
        requires requires(Transport const& t, net::io_context& context, limits const& l) {
            t.listen_by(context, any_listener::answer_source(), l, {});
        }
    any_transport(Transport transport) {
        make_ = [transport = std::move(transport)](auto&&... all) { return transport.listen_by(std::forward<decltype(all)>(all)...); };
    }

    std::shared_ptr<any_listener> listen_by(net::io_context& context, any_listener::answer_source answers, limits const& limit,
                                            std::vector<std::string> hosts) const {
        if (make_) return make_(context, std::move(answers), limit, std::move(hosts));
        return std::make_shared<listener>(context, std::move(answers), limit, std::move(hosts));
    }

private:
    std::function<std::shared_ptr<any_listener>(net::io_context&, any_listener::answer_source, limits const&, std::vector<std::string>)>
        make_;
};

/// The path was that of the document once.
struct no_path {
    constexpr no_path() = default;
    template <class Path>
    constexpr no_path(Path const&) {
        static_assert(std::is_void_v<Path>,
                      "healthz: .path is the view's now: list views, with healthz::document{...} for that path among them, "
                      "and write serve<sources, views>(...)");
    }
};

}  // namespace detail

/// Where a server listens.
struct place {
    std::string address = "127.0.0.1";  ///< an IP address, `::` for all; or `unix:` and the path of a unix socket
    std::uint16_t port = 8080;          ///< 0 for any free one
    unsigned mode = 0660;               ///< the permissions of a unix socket
    detail::any_transport transport{};  ///< plain, or `healthz::beast::tls{...}` of `<healthz/beast/tls.hpp>`
    access shown = access::admin;       ///< all views; or those that are open, alone: `access::open`
};

/// Where a server has come to listen: an address with the port that it got, or the path of a unix socket.
struct bound_place : detail::net::ip::tcp::endpoint {
    std::string unix_path{};  ///< empty unless it is one

    friend std::ostream& operator<<(std::ostream& out, bound_place const& where) {
        if (!where.unix_path.empty()) return out << "unix:" << where.unix_path;
        return out << static_cast<detail::net::ip::tcp::endpoint const&>(where);
    }
};

/// The options of a server. Only `auth` must be given. All handlers are called on the thread that is in `run`, one at a time: they
/// delay the checks, but no answer. What they throw is passed to `on_error`.
struct options {
    std::string address = "127.0.0.1";        ///< as of a `place`
    std::uint16_t port = 8080;                ///< 0 for any free one
    unsigned mode = 0660;                     ///< the permissions of a unix socket
    detail::any_transport transport{};        ///< plain, or `healthz::beast::tls{...}`
    std::vector<place> also{};                ///< where else it listens
    detail::no_path path{};                   ///< the paths are those of the views
    healthz::detail::any_authorization auth;  ///< `admin_secret(...)` or `allow_unauthenticated{}`, for the views that are not open
    /// Policies of single views by their paths, such as `{{"/metrics", healthz::admin_secret(healthz::env("METRICS_SECRET"))}}`.
    std::vector<std::pair<std::string, healthz::detail::any_authorization>> auth_of{};
    std::vector<std::string> hosts{};  ///< the names that a request may have in its field Host; none for any
    limits limit{};
    bool handle_signals = true;           ///< whether SIGINT and SIGTERM end it; afterwards they do what they did before
    bool raise_descriptor_limit = false;  ///< whether the process's soft limit is raised to what `limit.connections` needs
    /// How long requests are still answered after SIGINT or SIGTERM, while `ready` says no; a second signal ends that.
    std::chrono::milliseconds drain = std::chrono::milliseconds::zero();
    /// What it tells systemd; it then listens on the sockets that systemd has passed, if any, in place of those of its places: in their
    /// order.
    /// The server's constructor takes these and unsets their variables; no other thread may use the environment meanwhile.
    std::optional<healthz::systemd> systemd{};
    /// Called once the server accepts connections, for each of its places.
    std::function<void(bound_place const&)> on_listening{};
    /// Called once SIGINT or SIGTERM begins the end, while requests are answered and `ready` says no; not at `stop()`. `drain` counts from
    /// the signal, and may be 0. While this blocks, neither `drain` nor a second signal ends the server.
    std::function<void()> on_drain{};
    /// Called with a `healthz::event`, or with the report and the source's index, at each verdict that is published: by a check, a report
    /// or maintenance, also if the status stays the same; not for a check that `rise` or `fall` holds back.
    healthz::detail::event_handler on_verdict{};
    /// The same for verdicts whose status is another one than before, and for first verdicts; and where a source goes off, or is so from
    /// the start.
    healthz::detail::event_handler on_change{};
    /// The same for each check that has ended, also those that `rise` or `fall` holds back and those of a source that is off.
    healthz::detail::event_handler on_check{};
    /// Called for requests that were refused, at most once a second for the same answer to the same client.
    std::function<void(refused const&)> on_refused{};
    /// Called with what went wrong while serving: what a handler or a policy has thrown, which file of TLS or of a secret is no longer of
    /// use. Without it that is a line on standard error.
    std::function<void(std::string_view)> on_error{};
};

}  // namespace healthz::beast
