// SPDX-License-Identifier: BSL-1.0
// A network in simulated time: one lwIP that is both sides, and a wire on which a test may drop, hold back and reorder what passes.
#pragma once

#include <healthz/cycle.hpp>

#include <lwip/netif.h>
#include <lwip/tcp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace simulated {

/// An IP packet with a TCP segment.
struct frame {
    std::vector<std::uint8_t> bytes;

    unsigned word(std::size_t at) const { return static_cast<unsigned>(bytes[at] << 8 | bytes[at + 1]); }
    unsigned from_port() const { return word(20); }
    unsigned to_port() const { return word(22); }
    std::uint32_t sequence() const { return word(24) << 16 | word(26); }
    std::size_t header_size() const { return 20 + static_cast<std::size_t>(bytes[32] >> 4) * 4; }
    std::size_t payload_size() const { return bytes.size() - header_size(); }
    bool from_client() const { return to_port() < 1024; }
    bool is_fin() const { return (bytes[33] & 1) != 0; }
    bool is_reset() const { return (bytes[33] & 4) != 0; }
};

/// Where all frames pass. `takes` says of each whether it goes on; what is `held` goes on when `let_go` is called.
class wire {
public:
    enum class fate : std::uint8_t { pass, drop, hold };

    std::function<fate(frame const&)> takes;  ///< empty: all pass
    std::vector<frame> held;

    void put(frame one);
    void let_go();             ///< in the order in which they came
    void let_go_in_reverse();  ///< the last one first
    void inject(frame one) { on_the_way_.push_back(std::move(one)); }
    bool deliver();  ///< one frame; false where there is none

private:
    std::deque<frame> on_the_way_;
};

extern wire network;
extern healthz::tick now;                           ///< lwIP's clock, and that of the servers
extern std::function<void(healthz::tick)> on_turn;  ///< what the loop does besides: servers' `poll`

/// Starts lwIP and the wire, once.
void start();

/// Lets the loop run for so many milliseconds, a turn each `step`.
void run(std::uint32_t milliseconds, std::uint32_t step = 10);

/// Lets it run until `holds` does, for ten minutes at most; returns whether it does.
bool run_until(std::function<bool()> const& holds, std::uint32_t step = 10);

/// What lwIP holds, but for connections in TIME_WAIT.
struct holdings {
    std::size_t heap, connections, segments, references, buffers;
    bool operator==(holdings const&) const = default;
};
holdings held_by_lwip();

/// Leaves so many bytes of lwIP's heap, until it is destroyed.
class heap_taken {
public:
    explicit heap_taken(std::size_t but_for);
    ~heap_taken();
    heap_taken(heap_taken const&) = delete;
    heap_taken& operator=(heap_taken const&) = delete;

private:
    std::vector<void*> blocks_;
};

/// A client, by lwIP's raw API, too.
class client {
public:
    explicit client(std::uint16_t port);
    ~client();
    client(client const&) = delete;
    client& operator=(client const&) = delete;

    std::string received;
    bool is_connected = false;
    bool is_ended = false;   ///< the server sends no more
    bool is_broken = false;  ///< it was reset
    bool is_reading = true;

    void send(std::string_view bytes);           ///< in as few segments as there may be
    void send_in_bytes(std::string_view bytes);  ///< each in a segment of its own
    void finish();                               ///< sends no more
    void reset();
    void read_all();  ///< what was not read until now
    std::uint16_t own_port() const { return pcb_ != nullptr ? pcb_->local_port : std::uint16_t{0}; }

private:
    void pump();
    void forget_if_closed();  // from then on it is lwIP's alone

    tcp_pcb* pcb_ = nullptr;
    std::deque<std::string> to_send_;  // each a segment, if there is room
    bool finishing_ = false, has_finished_ = false;
    std::size_t unread_ = 0;
};

}  // namespace simulated
