// SPDX-License-Identifier: BSL-1.0
// A site on the wire from a device: HTTP/1 over lwIP's raw API, for a loop that also does everything else.
// Needs lwIP (2.1 or newer), with NO_SYS or called from its own task.
#pragma once

#include "../cycle.hpp"
#include "../direct_site.hpp"
#include "../endpoint.hpp"
#include "../request_parser.hpp"
#include "chain.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <lwip/arch.h>
#include <lwip/err.h>
#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

namespace healthz::lwip {

/// How long a server waits for a client. A connection on which that takes longer is closed.
struct limits {
    std::chrono::milliseconds request_time{5000};  ///< from the first byte of a request to its last; then 408
    std::chrono::milliseconds idle_time{10000};    ///< until the first byte of a request comes
    std::chrono::milliseconds answer_time{10000};  ///< until a whole answer has been taken; and before, until there is memory for it
    std::chrono::milliseconds closing_time{1000};  ///< until the client closes, too
    std::chrono::milliseconds crowded_time{1000};  ///< in place of `answer_time`, where another one waits for its connection or memory
};
/// Those unless a server is given others.
inline constexpr limits default_limits{};

/// Serves `Site`, a `direct_site`, of what `Monitor` knows, an object with static storage, on `Connections` connections at a time, each
/// with a request of `Capacity` bytes; see `request_parser`. All memory is in this object, but for the answers: each is written as a whole
/// into lwIP's own heap (`MEM_SIZE`), from which it is sent without being copied, and given back when the client has it all or the
/// connection ends. Where there is no room for it, it waits; if there is none though no other answer takes any, or the answer is larger
/// than 62 KiB, the connection is aborted. Where all connections are taken, a new one takes the place of the one that has been waiting
/// longest for a request, or whose client has been taking an answer for more than a second.
///
/// lwIP keeps pointers into an answer in the frames that it hands to a driver or keeps for ARP, also when the connection has ended. So a
/// driver must have sent or copied a frame when its `linkoutput` returns, and what waits for ARP must be copied: let `PBUF_NEEDS_COPY(p)`
/// be 1. Or let `LWIP_NETIF_TX_SINGLE_PBUF` be 1: then lwIP copies all that it sends, and `MEM_SIZE` has to be larger.
///
/// It answers whatever host it is asked for, as a name of a stranger's that resolves to the device: views with open access may be read by
/// any page in a browser that reaches it.
///
/// Give it static storage, and call everything where lwIP runs, on the loop or in its own task: `poll` often, at least ten times a second.
/// Nothing blocks. Requests that come before the answer to another has been taken wait, in two of lwIP's buffers for each connection, of
/// which there must be some more (`PBUF_POOL_SIZE`). An answer does not change while it is sent, whatever the monitor finds meanwhile.
template <class Site, auto const& Monitor, std::size_t Connections = 4, std::size_t Capacity = 512, limits const& Limits = default_limits>
class server {
public:
    constexpr server() = default;
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    /// Begins to serve at `port` of each address. After `lwip_init`. Returns lwIP's error, such as `ERR_USE` or `ERR_MEM`.
    err_t listen(u16_t port) {
        auto* const any = tcp_new_ip_type(IPADDR_TYPE_ANY);
        if (any == nullptr) return ERR_MEM;
        auto error = tcp_bind(any, IP_ANY_TYPE, port);
        auto* const listener = error == ERR_OK ? tcp_listen_with_backlog_and_err(any, Connections, &error) : nullptr;
        if (listener == nullptr) {
            tcp_abort(any);
            return error;
        }
        tcp_arg(listener, this);
        tcp_accept(listener, accepted);
        return ERR_OK;
    }

    /// Answers one request, so that a turn of the loop takes no longer than the largest answer, and ends connections that take too long.
    /// `now` is a tick count of milliseconds, as for `monitor::poll`. Returns whether it has written an answer, or tried to: then the next
    /// frame may wait until the next turn.
    bool poll(tick now) {
        now_ = now;
        for (auto& each : all_)
            if (each.pcb != nullptr) each.look_at_time();
        for (std::size_t i = 0; i < Connections && !is_full_; ++i) {
            turn_ = turn_ + 1 < Connections ? turn_ + 1 : 0;
            auto& next = all_[turn_];
            if (!next.has_to_be_answered()) continue;
            if (next.respond()) ++answered_;
            else if (is_answering()) is_full_ = true;
            else next.abort();  // there can never be more room
            return true;
        }
        return false;
    }

    /// How many requests were answered, whatever the answer. Wraps.
    std::uint32_t answered() const { return answered_; }

private:
    static constexpr tick ticks_in(std::chrono::milliseconds time) { return static_cast<tick>(time.count()); }

    enum class phase : std::uint8_t { waiting, receiving, answering, closing };

    struct connection {
        server* owner = nullptr;
        tcp_pcb* pcb = nullptr;  // of lwIP; none: this one is free
        pbuf* input = nullptr;   // what has come and was not yet looked at
        pbuf* answer = nullptr;  // what is being sent
        pbuf* unsent = nullptr;  // the first part of it that lwIP does not have as a whole
        u16_t sent = 0;          // of that part
        u16_t taken = 0;         // of the answer, by the client
        phase doing = phase::waiting;
        bool last = false;   // the answer is the last one
        bool ended = false;  // the client sends no more
        tick since = 0;      // it does that
        request_parser<Capacity> request;

        void enter(phase next) {
            doing = next;
            since = owner->now_;
        }

        void open(server& by, tcp_pcb* as) {
            owner = &by;
            pcb = as;
            last = ended = false;
            enter(phase::waiting);
            tcp_arg(pcb, this);
            tcp_recv(pcb, received);
            tcp_sent(pcb, acknowledged);
            tcp_err(pcb, failed);
            tcp_nagle_disable(pcb);  // an answer is written as a whole
        }

        // Gives back all but the connection itself.
        void release() {
            if (input != nullptr) pbuf_free(input);
            if (answer != nullptr) pbuf_free(answer);
            pcb = nullptr;
            input = answer = nullptr;
            request.next();
            owner->is_full_ = false;
        }

        void abort() {
            auto* const old = pcb;
            tcp_err(old, nullptr);
            tcp_abort(old);  // first, since it holds references to the answer
            release();
        }

        // False: it was aborted.
        bool close() {
            tcp_arg(pcb, nullptr);
            tcp_recv(pcb, nullptr);
            tcp_sent(pcb, nullptr);
            tcp_err(pcb, nullptr);
            if (tcp_close(pcb) != ERR_OK) return abort(), false;
            release();
            return true;
        }

        // What has come, up to the end of a request, which `poll` answers.
        void read() {
            while (input != nullptr && doing != phase::answering) {
                if (input->len == 0) {  // so lwIP leaves blocks all of whose bytes had come before
                    auto* const rest = std::exchange(input->next, nullptr);
                    pbuf_free(std::exchange(input, rest));
                    continue;
                }
                std::string_view const bytes(static_cast<char const*>(input->payload), input->len);
                auto const used = doing == phase::closing ? bytes.size() : request.put(bytes);
                std::memset(input->payload, 0, used);  // there may be a secret in it
                input = pbuf_free_header(input, static_cast<u16_t>(used));
                tcp_recved(pcb, static_cast<u16_t>(used));
                if (doing == phase::closing) continue;
                if (doing == phase::waiting && request.begun()) enter(phase::receiving);
                if (request.state() != request_state::incomplete) enter(phase::answering);
            }
        }

        bool has_to_be_answered() const { return pcb != nullptr && doing == phase::answering && answer == nullptr; }

        // Writes the answer. False: there is no room for it.
        bool respond() {
            auto const state = request.state();
            auto decided = state == request_state::complete
                               ? Site::answer_to(request.request(), Monitor)
                               : Site::refusal(state == request_state::malformed   ? healthz::answer::malformed
                                               : state == request_state::too_large ? healthz::answer::header_too_large
                                                                                   : healthz::answer::timed_out);
            decided.has_body = !request.is_head();
            last = !request.keep_alive() || decided.found.how == healthz::answer::malformed;
            std::string_view const field = last ? "Connection: close\r\n" : request.is_http_1_0() ? "Connection: keep-alive\r\n" : "";
            detail::chain head, body(decided.has_body);
            Site::write_body(decided, Monitor, body);
            Site::write_head(decided, body.size(), head, field);
            answer = head.join(body);
            if (answer == nullptr) return false;
            unsent = answer;
            sent = taken = 0;
            enter(phase::answering);  // anew: what it waited for was not its client
            request.next();
            send();
            return true;
        }

        // Hands over as much of the answer as lwIP takes now.
        void send() {
            while (unsent != nullptr) {
                auto const left = static_cast<u16_t>(unsent->len - sent);
                auto const room = tcp_sndbuf(pcb);
                auto const size = left < room ? left : room;
                auto const more = static_cast<u8_t>(size < left || unsent->next != nullptr ? TCP_WRITE_FLAG_MORE : 0);
                if (size == 0 || tcp_write(pcb, static_cast<char const*>(unsent->payload) + sent, size, more) != ERR_OK) break;
                sent = static_cast<u16_t>(sent + size);
                if (size < left) continue;
                unsent = unsent->next;
                sent = 0;
            }
            tcp_output(pcb);
        }

        // A whole answer has been taken. False: the connection was aborted.
        bool end_answer() {
            pbuf_free(answer);
            answer = nullptr;
            owner->is_full_ = false;
            if (last) return end();
            enter(phase::waiting);
            read();
            return !ended || doing == phase::answering || close();
        }

        // Sends no more. In two steps: after a reset, a client that still sends would not get the answer. False: it was aborted.
        bool end() {
            enter(phase::closing);
            read();
            if (ended) return close();
            return tcp_shutdown(pcb, 0, 1) == ERR_OK || (abort(), false);
        }

        void look_at_time() {
            tick const after = owner->now_ - since;
            switch (doing) {
                case phase::waiting:
                    if (after >= ticks_in(Limits.idle_time)) end();
                    return;
                case phase::receiving:
                    if (after < ticks_in(Limits.request_time)) return;
                    enter(phase::answering);
                    return;
                case phase::answering:
                    // Where another answer waits for the memory of this one, its client has less time.
                    if (after >= ticks_in(answer != nullptr && owner->is_full_ ? Limits.crowded_time : Limits.answer_time)) abort();
                    else if (answer != nullptr) send();
                    return;
                case phase::closing:
                    if (after >= ticks_in(Limits.closing_time)) abort();
                    return;
            }
        }
    };

    // --- what lwIP calls

    static err_t accepted(void* self, tcp_pcb* pcb, err_t error) {
        if (error != ERR_OK || pcb == nullptr) return ERR_VAL;
        auto& me = *static_cast<server*>(self);
        auto* const place = me.make_room();
        if (place == nullptr) {
            tcp_abort(pcb);
            return ERR_ABRT;
        }
        place->open(me, pcb);
        return ERR_OK;
    }

    static err_t received(void* self, tcp_pcb*, pbuf* bytes, err_t) {
        auto& c = *static_cast<connection*>(self);
        if (bytes == nullptr) {  // the client sends no more
            c.ended = true;
            if (c.doing == phase::answering) return ERR_OK;
            return c.close() ? ERR_OK : ERR_ABRT;
        }
        if (c.input != nullptr) return ERR_MEM;  // lwIP keeps it, takes no more, and offers it again: the buffers are for others, too
        c.input = bytes;
        c.read();
        return ERR_OK;
    }

    static err_t acknowledged(void* self, tcp_pcb*, u16_t size) {
        auto& c = *static_cast<connection*>(self);
        if (c.answer == nullptr) return ERR_OK;  // of the end of the connection
        c.taken = static_cast<u16_t>(c.taken + size);
        if (c.taken == c.answer->tot_len) return c.end_answer() ? ERR_OK : ERR_ABRT;
        c.send();
        return ERR_OK;
    }

    static void failed(void* self, err_t) { static_cast<connection*>(self)->release(); }  // of what lwIP has freed

    // Whether any answer has memory that it will give back.
    bool is_answering() const {
        for (auto const& each : all_)
            if (each.answer != nullptr) return true;
        return false;
    }

    // A free place, or that of the one that has been waiting longest for a request, or else for its client to take an answer.
    connection* make_room() {
        connection* found = nullptr;
        for (auto& each : all_) {
            if (each.pcb == nullptr) return &each;
            tick const after = now_ - each.since;
            if (each.doing == phase::answering && after < ticks_in(Limits.crowded_time)) continue;
            bool const is_better = found == nullptr || (each.doing != phase::answering && found->doing == phase::answering);
            bool const is_alike = found != nullptr && (each.doing == phase::answering) == (found->doing == phase::answering);
            if (is_better || (is_alike && now_ - each.since > now_ - found->since)) found = &each;
        }
        if (found != nullptr) found->abort();
        return found;
    }

    tick now_ = 0;
    std::uint32_t answered_ = 0;
    std::size_t turn_ = 0;  // whose request was answered last
    bool is_full_ = false;  // no answer has room until one gives its own back
    std::array<connection, Connections> all_{};
};

}  // namespace healthz::lwip
