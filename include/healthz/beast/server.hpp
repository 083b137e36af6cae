// SPDX-License-Identifier: BSL-1.0
// A ready server: checks the sources, answers requests, ends on SIGINT and SIGTERM.
// Needs Boost.Beast and threads.
#pragma once

#include "../asio/runner.hpp"
#include "endpoint.hpp"
#include "session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace healthz::beast {

/// The policy of a ready server. Without one its options do not compile.
class any_authorization {
public:
    template <class Policy = void>
    any_authorization() {
        static_assert(!std::is_void_v<Policy>,
                      "healthz: say who may read the sources: .auth = healthz::admin_secret(...) or healthz::allow_unauthenticated{}");
    }

    template <authorization Policy>
    any_authorization(Policy policy) : needs_secret_(policy.needs_secret()) {
        if constexpr (requires { policy.problem(); }) problem_ = policy.problem();
        accepts_ = [kept = std::move(policy)](std::string_view secret) { return kept.accepts(secret); };
    }

    /// Whatever is no policy does not compile either.
    template <class Other>
        requires(!authorization<Other>)
    any_authorization(Other const&) {
        static_assert(authorization<Other>,
                      "healthz: .auth is no policy: it takes healthz::admin_secret(...) or healthz::allow_unauthenticated{}");
    }

    bool needs_secret() const { return needs_secret_; }
    bool accepts(std::string_view secret) const { return accepts_(secret); }
    std::string const& problem() const { return problem_; }

private:
    bool needs_secret_;
    std::function<bool(std::string_view)> accepts_;
    std::string problem_;
};

/// How many of `wanted` connections leave descriptors for the probers of `sources` and the program: clients must not be able
/// to use those up. Raises the process's soft limit where that helps.
inline std::size_t affordable_connections(std::size_t wanted, std::size_t sources) {
    rlim_t const reserve = 64 + 4 * sources;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    if (limit.rlim_cur < wanted + reserve && limit.rlim_cur < limit.rlim_max) {
        auto const before = limit.rlim_cur;
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + reserve);
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    }
    rlim_t const left = limit.rlim_cur > reserve ? limit.rlim_cur - reserve : 1;
    return static_cast<std::size_t>(std::min<rlim_t>(wanted, left));
}

/// How `serve` serves. Only `auth` must be given.
struct options {
    std::string address = "127.0.0.1";  ///< an IP address; `::` for all
    std::uint16_t port = 8080;          ///< 0 for any free one
    std::string path = std::string(default_path);
    any_authorization auth;  ///< `admin_secret(...)` or `allow_unauthenticated{}`
    limits limit{};
    /// Called once the server accepts connections, with the address that it got.
    std::function<void(net::ip::tcp::endpoint const&)> on_listening{};
    /// Called at each verdict with the report and the source's index, on the server's thread.
    std::function<void(report_view, std::size_t)> on_verdict{};
};

inline int cannot_serve(std::string const& why) {
    std::fprintf(stderr, "healthz: %s\n", why.c_str());
    return EXIT_FAILURE;
}

/// Checks `Sources` and serves them, for who has more to tell it than options: through its runner.
template <auto const& Sources>
class server {
public:
    /// Begins nothing yet. Throws where the process has no descriptor left.
    explicit server(options how) : how_(std::move(how)) {}

    /// What checks, for reports and maintenance: `server.runner().report<"name">(outcome)`, from any thread that ends before the
    /// server is destroyed. Nothing is done with them once `run` has returned.
    asio::runner<Sources>& runner() { return runner_; }

    /// Serves until SIGINT or SIGTERM; then it returns, within a second whatever hangs. Blocks. To be called once.
    /// Returns what `main` should: EXIT_SUCCESS, or EXIT_FAILURE after one line on standard error where it could not start.
    /// Throws what a handler of the options throws, and where there is no descriptor left for signals; then it serves no more.
    int run() {
        if (std::exchange(has_run_, true)) throw std::logic_error("healthz: a server runs once");
        if (!how_.auth.problem().empty()) return cannot_serve(how_.auth.problem());
        boost::system::error_code ec;
        auto const address = net::ip::make_address(how_.address, ec);
        if (ec) return cannot_serve("'" + how_.address + "' is not an IP address");
        auto limit = how_.limit;
        limit.connections = affordable_connections(limit.connections, size_of<Sources>);
        auto const clients = std::make_shared<listener>(context_, latest_, how_.auth, how_.path, limit);
        clients->listen({address, how_.port}, ec);
        if (ec) return cannot_serve("cannot listen on " + how_.address + " port " + std::to_string(how_.port) + ": " + ec.message());
        try {
            run(*clients);
        } catch (...) {
            clients->stop([] {});  // nobody is left to wait for an answer
            throw;
        }
        return EXIT_SUCCESS;
    }

private:
    void run(listener& clients) {
        net::signal_set signals(context_, SIGINT, SIGTERM);
        signals.async_wait([&](boost::system::error_code ec, int) {
            if (ec) return;
            runner_.stop();
            clients.stop([&] { context_.stop(); });
        });
        runner_.start();
        if (how_.on_listening) how_.on_listening(clients.local_endpoint());
        context_.run();
    }

    void publish(report<Sources> const& report, std::size_t index) {
        latest_.update(report, index);
        if (how_.on_verdict) how_.on_verdict(report, index);
    }

    options how_;
    bool has_run_ = false;
    net::io_context context_{1};
    document latest_;
    asio::runner<Sources> runner_{context_.get_executor(), [this](auto const& report, std::size_t index) { publish(report, index); }};
};

/// The same in one call, for `main`: where a `std::exception` is thrown, it is one line on standard error, too, and EXIT_FAILURE.
template <auto const& Sources>
int serve(options how) {
    try {
        return server<Sources>(std::move(how)).run();
    } catch (std::exception const& e) {
        return cannot_serve(e.what());
    }
}

}  // namespace healthz::beast
