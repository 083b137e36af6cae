// SPDX-License-Identifier: BSL-1.0
// The loop around the endpoint: connections with their limits and deadlines.
// Needs Boost.Beast.
#pragma once

#include "../hosted/wipe.hpp"
#include "answer_queue.hpp"
#include "request_reader.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace healthz::beast {

namespace net = boost::asio;

/// What a client may use up.
struct limits {
    std::uint32_t header_bytes = 8 * 1024;                               ///< more is answered by 431
    std::chrono::milliseconds request_time = std::chrono::seconds(10);   ///< from a request's first byte to its last
    std::chrono::milliseconds idle_time = std::chrono::seconds(60);      ///< between requests, and for taking an answer
    std::size_t connections = 1024;                                      ///< further ones wait until one is closed
};

/// Accepts connections and answers their requests, on one context that one thread runs. Make it with `std::make_shared`.
/// The document must live until the context has stopped.
class listener : public std::enable_shared_from_this<listener> {
public:
    /// `hosts` are the names that a request may ask for in its field Host; none for any.
    template <authorization Auth>
    listener(net::io_context& context, document const& source, Auth policy, std::string path, limits const& limit,
             std::vector<std::string> hosts = {})
        : context_(context), acceptor_(context), slot_(context), sweeper_(context), document_(source), limits_(limit),
          hosts_(std::move(hosts)) {
        decide_ = [policy = std::move(policy), path = std::move(path)](endpoint_request const& request) {
            return healthz::decide(request, path, policy);
        };
    }

    /// Starts to accept connections on `where`.
    void listen(net::ip::tcp::endpoint const& where, boost::system::error_code& ec) {
        acceptor_.open(where.protocol(), ec);
        if (!ec) acceptor_.set_option(net::ip::tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor_.bind(where, ec);
        if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
        if (ec) return;
        net::co_spawn(context_, accept(shared_from_this()), net::detached);
        sweep_later();
    }

    net::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

    /// Accepts nothing more, lets answers under way be written, for half a second at most, then calls `on_stopped`.
    void stop(std::function<void()> on_stopped) {
        on_stopped_ = std::move(on_stopped);
        stop_by_ = clock::now() + std::chrono::milliseconds(500);
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        slot_.cancel();
        for (auto* each : connections_)
            each->deadline = each->doing == phase::waiting ? clock::now() : std::min(each->deadline, stop_by_);
        sweep();
    }

private:
    using clock = std::chrono::steady_clock;

    // What a connection does now.
    enum class phase {
        accepted,
        waiting,    // for the first byte of a request
        receiving,  // the rest of one
        answering,
        closing,
    };

    // One client. On the listener's list as long as its coroutine lives.
    struct connection {
        connection(std::shared_ptr<listener> owner, net::ip::tcp::socket accepted)
            : server(std::move(owner)), socket(std::move(accepted)), input(server->limits_.header_bytes + 4096) {
            place = server->connections_.insert(server->connections_.end(), this);
        }
        ~connection() {
            server->connections_.erase(place);
            server->slot_.cancel();
        }
        connection(connection const&) = delete;
        connection& operator=(connection const&) = delete;

        std::shared_ptr<listener> server;
        std::list<connection*>::iterator place;
        net::ip::tcp::socket socket;
        boost::beast::basic_flat_buffer<wiping_allocator<char>> input;  // secrets come in it
        request_fields fields;
        std::optional<request_reader> reader;  // while a request is being received
        answer_queue output;
        phase doing = phase::accepted;
        clock::time_point deadline = clock::time_point::max();  // of the phase
        bool timed_out = false;
        bool closing = false;  // after the answers that are in the output
    };

    static net::awaitable<void> accept(std::shared_ptr<listener> self) {
        while (self->acceptor_.is_open()) {
            boost::system::error_code ec;
            if (self->connections_.size() >= self->limits_.connections) {
                self->slot_.expires_at(clock::time_point::max());
                co_await self->slot_.async_wait(net::redirect_error(net::use_awaitable, ec));
                continue;
            }
            net::ip::tcp::socket socket(self->context_);
            co_await self->acceptor_.async_accept(socket, net::redirect_error(net::use_awaitable, ec));
            if (!ec) {
                socket.set_option(net::ip::tcp::no_delay(true), ec);
                auto client = std::make_unique<connection>(self, std::move(socket));
                net::co_spawn(self->context_, converse(std::move(client)), net::detached);
            } else if (ec != net::error::operation_aborted) {
                self->slot_.expires_after(std::chrono::milliseconds(100));  // out of descriptors, say
                co_await self->slot_.async_wait(net::redirect_error(net::use_awaitable, ec));
            }
        }
    }

    static net::awaitable<void> converse(std::unique_ptr<connection> client) {
        auto& c = *client;
        auto& self = *c.server;
        boost::system::error_code ec;
        while (true) {
            while (!c.closing && !c.output.full() && self.answer_next(c)) {}
            if (!c.output.empty()) {
                self.enter(c, phase::answering);
                auto const answers = c.output.buffers();
                if (answers.size() == 1) {  // which the system takes with less ado
                    co_await net::async_write(c.socket, answers.front(), net::redirect_error(net::use_awaitable, ec));
                } else {
                    co_await net::async_write(c.socket, answers, net::redirect_error(net::use_awaitable, ec));
                }
                if (ec) co_return;
                bool const more = c.output.full();
                c.output.clear();
                if (more && !c.closing) continue;
            }
            if (c.closing) break;
            if (self.stopping()) co_return;

            // A phase's deadline counts from its first byte, however slowly the others follow.
            phase next = phase::waiting;
            if (c.reader) next = phase::receiving;
            if (c.doing != next) self.enter(c, next);
            auto const room = std::min<std::size_t>(4096, c.input.max_size() - c.input.size());
            auto const space = c.input.prepare(room);
            auto const received = co_await c.socket.async_read_some(space, net::redirect_error(net::use_awaitable, ec));
            if (c.timed_out) {
                close_with(c, answer::timed_out);
                continue;
            }
            if (ec) co_return;
            c.input.commit(received);
        }
        // Close in two steps: a reset while the client still sends would take the answer from it.
        c.socket.shutdown(net::ip::tcp::socket::shutdown_send, ec);
        self.enter(c, phase::closing);
        c.input.clear();
        while (!ec) {
            auto const space = c.input.prepare(4096);
            co_await c.socket.async_read_some(space, net::redirect_error(net::use_awaitable, ec));
        }
    }

    void enter(connection& c, phase next) const {
        clock::duration time = limits_.idle_time;
        if (next == phase::receiving) time = limits_.request_time;
        if (next == phase::closing) time = std::min<clock::duration>(time, std::chrono::seconds(1));
        c.doing = next;
        c.deadline = std::min(clock::now() + time, stop_by_);
    }

    bool stopping() const { return stop_by_ != clock::time_point::max(); }

    // Answers the request at the front of the input, if its header has arrived. False: more input is needed. No body is read: where
    // one follows, the connection closes after the answer.
    bool answer_next(connection& c) {
        auto bytes = input_of(c);
        if (!c.reader) {
            for (; bytes.starts_with("\r\n"); bytes = input_of(c)) c.input.consume(2);  // RFC 9112, 2.2
            if (bytes.empty() || bytes == "\r") return false;
            c.reader.emplace(c.fields, limits_.header_bytes);
        }
        auto const state = c.reader->read(bytes);
        if (state == request_state::incomplete) return false;
        if (state != request_state::complete) {
            close_with(c, state == request_state::malformed ? answer::malformed : answer::header_too_large);
            return true;
        }
        auto const which = healthz::is_allowed_host(c.fields.host, hosts_) ? decide_(c.fields.view()) : answer::misdirected;
        if (!c.fields.keep_alive || which == answer::malformed) c.closing = true;
        std::string_view const connection_field = c.closing ? close_field : c.fields.http_1_0 ? "Connection: keep-alive\r\n" : "";
        c.output.push(which, c.fields.method == "HEAD", connection_field, rendered(which));
        healthz::wipe(c.input.data().data(), c.reader->size());
        c.input.consume(c.reader->size());
        c.fields = {};
        c.reader.reset();
        return true;
    }

    shared_answer rendered(answer which) {
        auto const now = std::time(nullptr);  // the cheapest clock, of whole seconds
        bool const is_document = which == answer::document || which == answer::strict_document;
        return is_document ? document_.latest(now) : errors_.at(which, now);
    }

    static std::string_view input_of(connection const& c) {
        auto const bytes = c.input.data();
        return {static_cast<char const*>(bytes.data()), bytes.size()};
    }

    static void close_with(connection& c, answer which) {
        c.closing = true;
        c.output.push(which, c.fields.method == "HEAD", close_field, c.server->rendered(which));
        c.fields = {};  // which point into the reader
        c.reader.reset();
    }

    // One coarse timer for all deadlines costs less than one for each read.
    void sweep_later() {
        auto const shortest = std::min(limits_.request_time, limits_.idle_time) / 4;
        std::chrono::milliseconds const longest = stopping() ? std::chrono::milliseconds(20) : std::chrono::seconds(1);
        sweeper_.expires_after(std::clamp(shortest, std::chrono::milliseconds(5), longest));
        sweeper_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
            if (!ec) self->sweep();
        });
    }

    void sweep() {
        auto const now = clock::now();
        boost::system::error_code ignored;
        for (auto* each : connections_) {
            if (now < each->deadline) continue;
            if (each->doing == phase::receiving && !std::exchange(each->timed_out, true)) each->socket.cancel(ignored);
            else each->socket.close(ignored);
        }
        if (stopping() && connections_.empty()) {
            sweeper_.cancel();
            if (on_stopped_) std::exchange(on_stopped_, nullptr)();
            return;
        }
        sweep_later();
    }

    static constexpr std::string_view close_field = "Connection: close\r\n";

    net::io_context& context_;
    net::ip::tcp::acceptor acceptor_;
    net::steady_timer slot_;  // waited on for a connection to end
    net::steady_timer sweeper_;
    document const& document_;
    error_answers errors_;
    limits limits_;
    std::vector<std::string> hosts_;
    std::function<answer(endpoint_request const&)> decide_;
    std::list<connection*> connections_;
    std::function<void()> on_stopped_;
    clock::time_point stop_by_ = clock::time_point::max();  // once `stop` was called
};

}  // namespace healthz::beast
