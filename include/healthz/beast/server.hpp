// SPDX-License-Identifier: BSL-1.0
// A ready server: checks the sources on the thread that runs it, answers requests on another, ends on a call or a signal.
// Needs Boost.Beast and threads.
#pragma once

#include "../asio/runner.hpp"
#include "../asio/workers.hpp"
#include "../declaration.hpp"
#include "../endpoint.hpp"
#include "../hosted/admin_secret.hpp"
#include "../hosted/event_handler.hpp"
#include "../hosted/passed_sockets.hpp"
#include "../hosted/print_error.hpp"
#include "../hosted/site.hpp"
#include "../hosted/systemd.hpp"
#include "../hosted/thrown.hpp"
#include "../http/request_reader.hpp"
#include "../record.hpp"
#include "../report.hpp"
#include "../views/table.hpp"
#include "descriptors.hpp"
#include "endpoint.hpp"
#include "listener.hpp"
#include "options.hpp"
#include "refusals.hpp"
#include "stop_signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace healthz::beast {

namespace detail {

inline int cannot_serve(std::string const& why) {
    healthz::detail::print_error(why);
    return EXIT_FAILURE;
}

/// A listener at work: a thread of its own runs its context until this is destroyed, which takes half a second at most.
class listener_thread {
public:
    /// `on_error` is called on that thread with a sentence about what leaves the context, which goes on; it must not throw.
    /// Throws std::system_error where there can be no thread.
    listener_thread(net::io_context& context, std::vector<std::shared_ptr<any_listener>> clients, std::function<void(std::string)> on_error)
        : context_(context), clients_(std::move(clients)), running_(clients_.size()) {
        healthz::detail::without_signals const inherited;  // the program's are for its own threads
        thread_ = std::thread([this, told = std::move(on_error)] { run(told); });
    }
    ~listener_thread() {
        try {
            net::post(context_, [this] {
                for (auto const& each : clients_)
                    each->stop([this] {
                        if (--running_ == 0) context_.stop();
                    });
            });
        } catch (...) {
            context_.stop();  // no memory: without a last word to the clients
        }
        thread_.join();
    }
    listener_thread(listener_thread const&) = delete;
    listener_thread& operator=(listener_thread const&) = delete;

private:
    void run(std::function<void(std::string)> const& on_error) {
        while (!context_.stopped()) {
            try {
                context_.run();
            } catch (...) {
                on_error(healthz::detail::sentence_of("serving", std::current_exception()));
            }
        }
    }

    net::io_context& context_;
    std::vector<std::shared_ptr<any_listener>> clients_;
    std::size_t running_;
    std::thread thread_;
};

}  // namespace detail

/// Checks `Sources` and serves `Views` of them; its runner takes reports and maintenance.
///
/// The checks and all handlers run on the thread that calls `run`, HTTP on one of its own: neither waits for the other.
template <auto const& Sources, auto const& Views = default_views>
class server {
public:
    /// Starts nothing yet. Throws if the process has no descriptor left.
    explicit server(options how) : how_(std::move(how)), site_(how_.auth), problem_(set_policies()) {
        site_.on_problem([this](std::string text) { hand_over(std::move(text)); });
        runner_.on_check([this](event const& e) { take_in(e); });
        if (how_.systemd) follow_systemd();
    }

    ~server() { site_.on_problem(nullptr); }  // a policy may live on
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    /// The runner of the checks, for reports and maintenance: `server.runner().report<"name">(outcome)`, before and during `run`, from
    /// any thread that ends before the server is destroyed. Once `run` has returned they have no effect.
    healthz::runner<Sources>& runner() { return runner_; }

    /// What it serves, for other servers of the program, on any thread.
    healthz::site<Sources, Views> const& site() const { return site_; }

    /// Blocks, and serves until `stop`, or SIGINT or SIGTERM unless `handle_signals` is false; then it returns within a second,
    /// whatever source hangs and whatever a client does. Call it once.
    /// Returns what `main` should: EXIT_SUCCESS, or EXIT_FAILURE after one line on standard error if it could not start.
    /// Throws if there is no descriptor left for signals, or no thread; then it serves no more.
    int run() {
        if (std::exchange(has_run_, true)) throw std::logic_error("healthz: a server runs once");
        if (!problem_.empty()) return healthz::beast::detail::cannot_serve(problem_);
        std::optional<detail::stop_signals> ends;
        if (how_.handle_signals) ends.emplace(context_, [this] { end(); });
        std::optional<detail::reload_signal> reload;
        if (how_.handle_signals && how_.systemd && how_.systemd->on_reload) reload.emplace(context_, [this] { this->reload(); });
        detail::net::io_context http{1};
        std::vector<std::shared_ptr<detail::any_listener>> clients;
        if (auto const problem = listen(http, clients); !problem.empty()) return healthz::beast::detail::cannot_serve(problem);
        set_local_endpoint(clients.front()->local_endpoint());
        site_.start();
        {
            detail::listener_thread const serving(http, clients, [this](std::string text) { hand_over(std::move(text)); });
            runner_.start();
            if (how_.on_listening) tell_listening(clients);
            if (systemd_) begin_supervision();
            context_.run();
        }
        tell_refused();
        return EXIT_SUCCESS;
    }

    /// Ends `run`, also if it is called later. Thread safe; may be called several times, but not in a signal handler.
    void stop() {
        detail::net::post(context_, [this] {
            if (systemd_) systemd_->stopping();
            runner_.stop();
            context_.stop();
        });
    }

    /// The address where it listens, with the port that it got; port 0 before that. Thread safe.
    detail::net::ip::tcp::endpoint local_endpoint() const {
        std::lock_guard lock(mutex_);
        return local_endpoint_;
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::string_view unix_prefix = "unix:";

    std::size_t connection_limit() const {
        auto const wanted = how_.limit.connections;
        auto const in_use = healthz::beast::detail::descriptors_in_use();
        if (!in_use) return 1;
        if (how_.raise_descriptor_limit) healthz::beast::detail::raise_descriptor_limit(wanted, size_of<Sources>, *in_use);
        return healthz::beast::detail::affordable_connections(wanted, size_of<Sources>, *in_use);
    }

    void tell_listening(std::vector<std::shared_ptr<detail::any_listener>> const& clients) {
        for (std::size_t i = 0; i < clients.size(); ++i) {
            bound_place where{clients[i]->local_endpoint()};
            where.unix_path = unix_paths_[i];
            calls_.call("on_listening", how_.on_listening, where);
        }
    }

    void set_local_endpoint(detail::net::ip::tcp::endpoint const& where) {
        std::lock_guard lock(mutex_);
        local_endpoint_ = where;
    }

    // The site comes first: a handler that does not return keeps nobody from an answer.
    void take_in(event const& e) {
        site_.update(e);
        if (how_.on_verdict && e.is_verdict) calls_.call("on_verdict", how_.on_verdict, e);
        if (how_.on_change && e.is_change()) calls_.call("on_change", how_.on_change, e);
        if (how_.on_check) calls_.call("on_check", how_.on_check, e);
        if (!systemd_) return;
        systemd_->take_in(e);
        supervise([&e] { return e.report; });
    }

    void follow_systemd() {
        auto const report = runner_.snapshot();
        auto const& watchdog = how_.systemd->watchdog;
        if (watchdog && !watchdog.watches(report) && problem_.empty()) problem_ = "systemd.watchdog is one of other sources";
        passed_.find();
        systemd_.emplace(how_.systemd->ready, watchdog, report);
    }

    void begin_supervision() {
        if (auto const objection = systemd_->objection(); !objection.empty()) calls_.tell(objection);
        detail::net::post(context_, [this] {
            systemd_->listening();
            supervise_on_time();
        });
    }

    // What a source does not need to be checked for.
    void supervise_on_time() {
        supervise([this] {
            latest_.emplace(runner_.snapshot());
            return latest_->view();
        });
    }

    template <class Latest>
    void supervise(Latest latest) {
        auto const next = systemd_->poll(clock::now(), latest);
        if (next == supervised_at_) return;
        supervised_at_ = next;
        if (next == clock::time_point::max()) {
            supervising_.cancel();
            return;
        }
        supervising_.expires_at(next);
        supervising_.async_wait([this](boost::system::error_code ec) {
            if (ec) return;
            supervised_at_ = clock::time_point::max();
            supervise_on_time();
        });
    }

    // At SIGHUP.
    void reload() {
        systemd_->reloading();
        calls_.call("on_reload", how_.systemd->on_reload);
        systemd_->reloaded();
        supervise_on_time();
    }

    // Makes a listener for each place. Returns why one cannot listen, or nothing.
    std::string listen(detail::net::io_context& http, std::vector<std::shared_ptr<detail::any_listener>>& clients) {
        auto places = how_.also;
        places.insert(places.begin(), {how_.address, how_.port, how_.mode, how_.transport});
        auto limit = how_.limit;
        limit.connections = std::max<std::size_t>(connection_limit() / places.size(), 1);
        unix_paths_.assign(places.size(), {});
        if (passed_.size() > places.size())
            calls_.tell("systemd has passed " + std::to_string(passed_.size()) + " sockets for " + std::to_string(places.size()) +
                        " places");
        for (std::size_t i = 0; i < places.size(); ++i) {
            auto const& where = places[i];
            auto const answer_to = [this, shown = where.shown](healthz::detail::request_fields const& fields, std::time_t now) {
                return site_.serve(fields.for_site(), now, shown);
            };
            bool const is_unix = where.address.starts_with(unix_prefix);
            auto of_place = limit;
            if (is_unix) of_place.connections_per_address = limit.connections;  // all its clients are alike
            try {
                clients.push_back(where.transport.listen_by(http, answer_to, of_place, how_.hosts));
            } catch (std::invalid_argument const& e) {
                return e.what();
            }
            auto& one = *clients.back();
            one.on_error([this](std::string text) { hand_over(std::move(text)); });
            if (how_.on_refused) one.on_refused([this](auto... what) { refuse(what...); });
            boost::system::error_code ec;
            if (i < passed_.size()) {
                if (auto problem = passed_.problem(i, is_unix); !problem.empty()) return problem;
                int const descriptor = passed_.take(i);
                unix_paths_[i] = healthz::detail::passed_sockets::path_of(descriptor);
                one.adopt(descriptor, ec);
                if (ec) return "cannot listen on a socket that systemd has passed: " + ec.message();
                continue;
            }
            if (is_unix) {
                unix_paths_[i] = where.address.substr(unix_prefix.size());
                one.listen(unix_paths_[i], where.mode, ec);
                if (ec) return "cannot listen on " + where.address + ": " + ec.message();
                continue;
            }
            auto const address = detail::net::ip::make_address(where.address, ec);
            if (ec) return "'" + where.address + "' is not an IP address";
            one.listen(detail::net::ip::tcp::endpoint(address, where.port), ec);
            if (ec) return "cannot listen on " + where.address + " port " + std::to_string(where.port) + ": " + ec.message();
        }
        return {};
    }

    // Why the server cannot start, or nothing.
    std::string set_policies() {
        if (how_.limit.connections == 0) return "limit.connections is 0: nobody could ask";
        if (how_.drain < std::chrono::milliseconds::zero()) return "drain is negative";
        for (auto const& [path, policy] : how_.auth_of)
            if (!site_.set_policy(path, policy)) return "auth_of: there is no view at '" + path + "'";
        return site_.problem();
    }

    // At a signal.
    void end() {
        if (systemd_) {
            systemd_->stopping();
            supervise_on_time();
        }
        if (std::exchange(draining_, true)) return stop();
        site_.drain();
        drained_.expires_after(how_.drain);
        drained_.async_wait([this](boost::system::error_code ec) {
            if (!ec) stop();
        });
        if (how_.on_drain) calls_.call("on_drain", how_.on_drain);
    }

    // On the thread of HTTP: `on_error` is called on the other.
    void hand_over(std::string text) noexcept {
        try {
            detail::net::post(context_, [this, told = std::move(text)] { calls_.tell(told); });
        } catch (...) {
            // No memory to report it.
        }
    }

    // On the thread of HTTP, too, which must not wait for a handler.
    void refuse(answer how, std::string_view path, detail::net::ip::address const& client) {
        if (refusals_.add(how, path, client)) detail::net::post(context_, [this] { tell_refused_in_time(); });
    }

    void tell_refused_in_time() {
        if (clock::now() >= next_telling_) return tell_refused();
        telling_.expires_at(next_telling_);
        telling_.async_wait([this](boost::system::error_code ec) {
            if (!ec) tell_refused();
        });
    }

    void tell_refused() {
        next_telling_ = clock::now() + std::chrono::seconds(1);
        for (auto const& each : refusals_.take()) calls_.call("on_refused", how_.on_refused, each);
    }

    options how_;
    healthz::detail::handler_calls const calls_{how_.on_error};
    bool has_run_ = false;
    detail::net::io_context context_{1};
    healthz::site<Sources, Views> site_;
    std::string problem_;  // why it cannot start
    bool draining_ = false;
    detail::net::steady_timer drained_{context_};
    std::mutex mutable mutex_;
    detail::net::ip::tcp::endpoint local_endpoint_;
    detail::refusals refusals_;
    detail::net::steady_timer telling_{context_};
    clock::time_point next_telling_{};
    healthz::detail::passed_sockets passed_;
    std::vector<std::string> unix_paths_;  // of each place; empty for one that has none
    std::optional<healthz::detail::systemd_link> systemd_;
    detail::net::steady_timer supervising_{context_};
    clock::time_point supervised_at_ = clock::time_point::max();
    std::optional<report<Sources>> latest_;
    healthz::runner<Sources> runner_{
        context_.get_executor(), {}, [this](std::exception_ptr const& thrown) { calls_.tell_thrown("a verdict", thrown); }};
};

/// Makes a server and runs it, for `main`: a `std::exception` becomes one line on standard error and EXIT_FAILURE.
template <auto const& Sources, auto const& Views = default_views>
int serve(options how) {
    static_assert(healthz::detail::require_declaration<Sources>(Sources) && healthz::detail::require_views<Sources, Views>(Views));
    if constexpr (healthz::detail::constant_sources<Sources>) {  // else nothing follows what was just told
        try {
            return server<Sources, Views>(std::move(how)).run();
        } catch (std::exception const& e) {
            return healthz::beast::detail::cannot_serve(e.what());
        }
    }
    return EXIT_FAILURE;
}

}  // namespace healthz::beast
