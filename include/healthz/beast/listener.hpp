// SPDX-License-Identifier: BSL-1.0
// The loop around the endpoint: connections with their limits and deadlines.
// Needs Boost.Beast.
#pragma once

#include "../endpoint.hpp"
#include "../host.hpp"
#include "../hosted/served_answer.hpp"
#include "../hosted/shared_document.hpp"
#include "../hosted/thrown.hpp"
#include "../hosted/wipe.hpp"
#include "../http/request_reader.hpp"
#include "answer_queue.hpp"
#include "connection_list.hpp"
#include "limits.hpp"
#include "listening_socket.hpp"
#include "transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::beast::detail {

namespace net = boost::asio;

/// A listener without its transport.
class any_listener {
public:
    /// Called for each request that was refused, with the answer, the path (empty if none could be read) and the client.
    using refusal_handler = std::function<void(answer, std::string_view, net::ip::address const&)>;
    /// Called with each request, and the time in seconds since 1970.
    using answer_source = std::function<healthz::detail::served_answer(healthz::detail::request_fields const&, std::time_t)>;

    virtual ~any_listener() = default;
    virtual void on_refused(refusal_handler handler) = 0;
    virtual void on_error(std::function<void(std::string)> handler) = 0;
    virtual void listen(net::ip::tcp::endpoint const& where, boost::system::error_code& ec) = 0;
    virtual void listen(std::string const& path, unsigned mode, boost::system::error_code& ec) = 0;
    virtual void adopt(int descriptor, boost::system::error_code& ec) = 0;
    virtual net::ip::tcp::endpoint local_endpoint() const = 0;
    virtual void stop(std::function<void()> on_stopped) = 0;
};

/// Accepts connections and answers their requests, on one context. Make it with `std::make_shared`.
///
/// One thread at a time may run the context, and all members but the constructor must be called on that thread, or while none
/// runs it: other threads post their calls. What answers must live until the context has stopped. Nothing here blocks. What is thrown while
/// a connection is served, by the policy or for lack of memory, ends only that connection.
template <class Transport>
class basic_listener : public any_listener, public std::enable_shared_from_this<basic_listener<Transport>> {
public:
    /// `hosts` are the names that a request may ask for in its field Host; none for any.
    basic_listener(net::io_context& context, answer_source answers, limits const& limit, std::vector<std::string> hosts = {},
                   Transport transport = {})
        : transport_(std::move(transport)), context_(context), socket_(context), pause_(context), sweeper_(context),
          limits_(limit.bounded()), hosts_(std::move(hosts)), room_(limits_.connections), connections_(limits_.connections_per_address),
          answers_(std::move(answers)) {}

    /// Call it before `listen`, and so the next one. The handler must not block.
    void on_refused(refusal_handler handler) override { on_refused_ = std::move(handler); }

    /// Sets what is told in a sentence which exception has ended a connection, and what is wrong with the files of the transport; without
    /// one nobody is. It must neither throw nor block. Call it before `listen`.
    void on_error(std::function<void(std::string)> handler) override {
        on_error_ = std::move(handler);
        if constexpr (Transport::is_secure) transport_.on_problem(on_error_);
    }

    // See `listening_socket`.
    void listen(net::ip::tcp::endpoint const& where, boost::system::error_code& ec) override {
        socket_.listen(where, ec);
        begin(ec);
    }
    void listen(std::string const& path, unsigned mode, boost::system::error_code& ec) override {
        socket_.listen(path, mode, ec);
        begin(ec);
    }
    void adopt(int descriptor, boost::system::error_code& ec) override {
        socket_.adopt(descriptor, ec);
        begin(ec);
    }
    net::ip::tcp::endpoint local_endpoint() const override { return socket_.local_endpoint(); }

    /// Accepts no more connections, waits half a second at most for answers that are being written, then calls `on_stopped`, which
    /// must not throw.
    void stop(std::function<void()> on_stopped) override {
        on_stopped_ = std::move(on_stopped);
        stop_by_ = clock::now() + std::chrono::milliseconds(500);
        socket_.close();
        pause_.cancel();
        sweep();
        end_if_done();
    }

private:
    using clock = std::chrono::steady_clock;
    using std::enable_shared_from_this<basic_listener>::shared_from_this;
    using listener = basic_listener;

    void begin(boost::system::error_code const& ec) {
        if (ec) return;
        accept_all();
        sweep_later();
    }

    // One client. Listed until it is closed; its coroutine ends a moment later.
    struct connection : connection_list::member {
        connection(std::shared_ptr<listener> owner, stream_socket accepted, net::ip::address address)
            : server(std::move(owner)), socket(std::move(accepted)), session(socket, server->transport_), client(std::move(address)),
              input(server->limits_.header_bytes + 4096) {
            server->connections_.join(*this, client_id(client), clock::now());
            ++server->alive_;
        }
        ~connection() {
            server->connections_.leave(*this);
            --server->alive_;
            server->end_if_done();
        }

        std::shared_ptr<listener> server;
        stream_socket socket;
        typename Transport::session session;  // by which it is read and written
        net::ip::address client;
        boost::beast::basic_flat_buffer<healthz::detail::wiping_allocator<char>> input;  // secrets come in it
        healthz::detail::request_fields fields;
        std::optional<healthz::detail::request_reader> reader;  // while a request is being received
        answer_queue output;
        bool timed_out = false;
        bool consumed = false;  // since something was received
        bool closing = false;   // after the answers that are in the output
    };

    // One client is an IPv4 address, or the 64 bits of an IPv6 network, since a host can usually have all addresses of its network.
    static connection_list::client_id client_id(net::ip::address const& address) {
        if (address.is_v4()) return address.to_v4().to_uint();
        auto const whole = address.to_v6();
        if (whole.is_v4_mapped()) return net::ip::make_address_v4(net::ip::v4_mapped, whole).to_uint();
        connection_list::client_id network = 0;
        for (std::size_t i = 0; i < 8; ++i) network = network << 8 | whole.to_bytes()[i];
        return network;
    }

    // Continues after exceptions for lack of memory.
    void accept_all() {
        net::co_spawn(context_, accept(shared_from_this()), [self = shared_from_this()](std::exception_ptr thrown) {
            if (!thrown) return;
            self->tell(thrown);
            self->accept_all();
        });
    }

    void tell(std::exception_ptr const& thrown) noexcept {
        try {
            if (on_error_) on_error_(healthz::detail::sentence_of("serving", thrown));
        } catch (...) {
            // No memory to report it.
        }
    }

    // One at a time: all other work that is ready is done before the next connection may close one.
    static net::awaitable<void> accept(std::shared_ptr<listener> self) {
        while (self->socket_.is_open()) {
            boost::system::error_code ec;
            co_await self->socket_.async_wait(net::redirect_error(net::use_awaitable, ec));
            if (!self->socket_.is_open()) co_return;
            if (!ec && self->accept_one()) continue;
            self->pause_.expires_after(std::chrono::milliseconds(100));
            co_await self->pause_.async_wait(net::redirect_error(net::use_awaitable, ec));
        }
    }

    // Returns false if trying again at once is useless.
    bool accept_one() noexcept {
        try {
            protocol::endpoint from;
            int descriptor = socket_.accept_descriptor(from);
            if (descriptor < 0 && is_shortage(errno)) {
                give_way();
                descriptor = socket_.accept_descriptor(from);
            }
            if (descriptor < 0) return !is_shortage(errno);
            boost::system::error_code ec;
            auto socket = socket_.connection_of(descriptor, from, ec);
            if (ec) return false;
            auto const address = healthz::beast::detail::address_of(from);
            if (auto* const other = connections_.in_the_way_of(client_id(address), room_, clock::now())) close(*other);
            auto client = std::make_unique<connection>(shared_from_this(), std::move(socket), address);
            net::co_spawn(context_, converse(std::move(client)), [self = shared_from_this()](std::exception_ptr thrown) {
                if (thrown) self->tell(thrown);
            });
            if (!sweeping_) sweep_later();
            return true;
        } catch (...) {
            return false;  // no memory
        }
    }

    // Any other failure concerns only the connection that was to be accepted: Linux reports its errors here, too.
    static bool is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

    // Out of descriptors: with a quarter of the connections less there are some for the probers, too.
    void give_way() {
        if (connections_.size() == 0) return;
        room_ = std::max<std::size_t>(connections_.size() * 3 / 4, 1);
        while (connections_.size() >= room_) close(*connections_.first_to_go(clock::now()));
    }

    void close(connection_list::member& which) {
        auto& c = static_cast<connection&>(which);
        boost::system::error_code ignored;
        connections_.leave(c);
        c.socket.close(ignored);
    }

    static net::awaitable<void> converse(std::unique_ptr<connection> client) {
        auto& c = *client;
        auto& self = *c.server;
        boost::system::error_code ec;
        if constexpr (Transport::is_secure) {
            self.connections_.enter(c, phase::receiving, clock::now());
            co_await c.session.handshake(net::redirect_error(net::use_awaitable, ec));
            if (ec) co_return;
        }
        while (true) {
            while (!c.closing && !c.output.full() && self.answer_next(c)) {}
            if (!c.output.empty()) {
                self.connections_.enter(c, phase::answering, clock::now());
                auto const answers = c.output.buffers();
                if (answers.size() == 1) {  // which costs the system less
                    co_await net::async_write(c.session.stream(), answers.front(), net::redirect_error(net::use_awaitable, ec));
                } else {
                    co_await net::async_write(c.session.stream(), answers, net::redirect_error(net::use_awaitable, ec));
                }
                if (ec) co_return;
                bool const more = c.output.full();
                c.output.clear();
                if (more && !c.closing) continue;
            }
            if (c.closing) break;
            if (self.stopping()) co_return;

            // The time of a phase counts from its first byte, however slowly the others follow.
            phase next = phase::waiting;
            if (c.reader) next = phase::receiving;
            if (c.doing() != next) self.connections_.enter(c, next, clock::now());
            if (std::exchange(c.consumed, false) && c.input.size() > 0) {
                // The begin of a request moves to the front. It may hold a secret, of which nothing stays behind.
                auto const rest = c.input.prepare(c.input.capacity() - c.input.size());
                healthz::detail::wipe(rest.data(), rest.size());
            }
            auto const room = std::min<std::size_t>(4096, c.input.max_size() - c.input.size());
            auto const space = c.input.prepare(room);
            auto const received = co_await c.session.stream().async_read_some(space, net::redirect_error(net::use_awaitable, ec));
            if (c.timed_out) {
                close_with(c, answer::timed_out);
                continue;
            }
            if (ec) co_return;
            c.input.commit(received);
        }
        // Close in two steps: after a reset, a client that still sends would not get the answer.
        self.connections_.enter(c, phase::closing, clock::now());
        if constexpr (Transport::is_secure) co_await c.session.say_goodbye(net::redirect_error(net::use_awaitable, ec));
        c.socket.shutdown(net::socket_base::shutdown_send, ec);
        c.input.clear();
        while (!ec) {
            auto const space = c.input.prepare(4096);
            co_await c.socket.async_read_some(space, net::redirect_error(net::use_awaitable, ec));
        }
    }

    // How long a connection may be in a phase. Where they become many, less.
    clock::duration time_in(phase of, clock::time_point now) const {
        if (now >= stop_by_ || (stopping() && of == phase::waiting)) return clock::duration::zero();
        auto time = of == phase::receiving ? limits_.request_time : limits_.idle_time;
        bool const crowded = connections_.size() >= room_ - room_ / 4;
        std::chrono::milliseconds longest = time;
        if (of == phase::closing || (crowded && of == phase::waiting)) longest = std::chrono::seconds(1);
        else if (crowded) longest = std::chrono::seconds(3);
        return std::min(time, longest);
    }

    bool stopping() const { return stop_by_ != clock::time_point::max(); }
    bool stopped() const { return stopping() && alive_ == 0; }

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
        auto const now = std::time(nullptr);  // the cheapest clock, of whole seconds
        auto served = healthz::is_allowed_host(c.fields.host, hosts_) ? answers_(c.fields, now) : refusal(answer::misdirected, now);
        tell_refused(c, served.how);
        if (!c.fields.keep_alive || served.how == answer::malformed) c.closing = true;
        std::string_view const connection_field = c.closing ? close_field : c.fields.http_1_0 ? "Connection: keep-alive\r\n" : "";
        c.output.push(served.unavailable, c.fields.method == "HEAD", connection_field, std::move(served.whole));
        healthz::detail::wipe(c.input.data().data(), c.reader->size());
        c.input.consume(c.reader->size());
        c.consumed = true;
        c.fields = {};
        c.reader.reset();
        return true;
    }

    healthz::detail::served_answer refusal(answer which, std::time_t now) { return {which, errors_.at(which, now)}; }

    static std::string_view input_of(connection const& c) {
        auto const bytes = c.input.data();
        return {static_cast<char const*>(bytes.data()), bytes.size()};
    }

    static void close_with(connection& c, answer which) {
        c.server->tell_refused(c, which);
        c.closing = true;
        c.output.push(false, c.fields.method == "HEAD", close_field, c.server->refusal(which, std::time(nullptr)).whole);
        c.fields = {};  // which point into the reader
        c.reader.reset();
    }

    void tell_refused(connection const& c, answer which) const {
        if (!on_refused_ || which == answer::document || which == answer::strict_document) return;
        bool const has_path = !c.fields.method.empty();  // else nothing could be read
        on_refused_(which, has_path ? healthz::path_of(c.fields.target) : std::string_view(), c.client);
    }

    // One coarse timer for all deadlines costs less than one for each read. Without memory for it, the next connection tries again.
    void sweep_later() noexcept {
        if (stopped()) return;  // this sweep was due when the last connection ended, too late to be cancelled
        auto const shortest = std::min(limits_.request_time, limits_.idle_time) / 4;
        std::chrono::milliseconds const longest = stopping() ? std::chrono::milliseconds(20) : std::chrono::seconds(1);
        try {
            sweeper_.expires_after(std::clamp(shortest, std::chrono::milliseconds(5), longest));
            sweeper_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
                if (!ec) self->sweep();
            });
            sweeping_ = true;
        } catch (...) {
            sweeping_ = false;
        }
    }

    void sweep() {
        room_ = std::min(limits_.connections, room_ + room_ / 8 + 1);  // there may be descriptors again
        expire_all();
        sweep_later();
        if (!stopping() || sweeping_) return;
        stop_by_ = clock::time_point::min();  // there may be no other sweep
        expire_all();
    }

    void expire_all() {
        auto const now = clock::now();
        for (auto const each : {phase::closing, phase::waiting, phase::receiving, phase::answering})
            connections_.for_each_expired(
                each, [this, each, now] { return time_in(each, now); }, now, [this](connection_list::member& m) { expire(m); });
    }

    // `stop` ends with the last connection.
    void end_if_done() {
        if (!stopped()) return;
        sweeper_.cancel();
        if (on_stopped_) std::exchange(on_stopped_, nullptr)();
    }

    void expire(connection_list::member& which) {
        auto& c = static_cast<connection&>(which);
        boost::system::error_code ignored;
        bool const may_be_told = c.doing() == phase::receiving && stop_by_ != clock::time_point::min();
        if (may_be_told && !std::exchange(c.timed_out, true)) c.socket.cancel(ignored);
        else close(c);
    }

    static constexpr std::string_view close_field = "Connection: close\r\n";

    Transport transport_;
    net::io_context& context_;
    listening_socket socket_;
    net::steady_timer pause_;  // in accepting
    net::steady_timer sweeper_;
    healthz::detail::error_answers errors_;
    limits limits_;
    std::vector<std::string> hosts_;
    std::size_t room_;  // how many connections there may be now: fewer than the limit for a while after descriptors ran out
    connection_list connections_;
    bool sweeping_ = false;  // whether the next sweep is certain
    std::size_t alive_ = 0;  // with those that are closed and whose coroutines have not ended yet
    answer_source answers_;
    refusal_handler on_refused_;
    std::function<void(std::string)> on_error_;
    std::function<void()> on_stopped_;
    clock::time_point stop_by_ = clock::time_point::max();  // once `stop` was called
};

using listener = basic_listener<plain_transport>;

}  // namespace healthz::beast::detail
