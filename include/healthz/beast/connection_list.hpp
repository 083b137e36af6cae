// SPDX-License-Identifier: BSL-1.0
// The connections by what they wait for and since when, and which one to close if there are too many.
// No I/O, no clock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace healthz::beast::detail {

/// What a connection waits for, the least finished first.
enum class phase : std::uint8_t {
    closing,    ///< the client to close; all is answered
    waiting,    ///< the first byte of a request
    receiving,  ///< the rest of one
    answering,  ///< the client to take an answer
};
inline constexpr std::size_t phase_count = 4;

/// Connections by phase, in the order in which they entered it; all of them, and again those of each client. Nothing but `join`
/// allocates, and all is done in constant time but for the search for a client, which is logarithmic.
class connection_list {
    struct client;

public:
    class member;

private:
    // A place in a ring. The one link that belongs to no connection is its beginning and its end.
    class link {
    public:
        explicit link(member* of = nullptr) : of_(of) {}
        link(link const&) = delete;
        link& operator=(link const&) = delete;

        member* of() const { return of_; }
        link* next() const { return next_; }

        void leave() {
            before_->next_ = next_;
            next_->before_ = before_;
            next_ = before_ = this;
        }
        void move_to_end_of(link& ring) {
            leave();
            before_ = ring.before_;
            next_ = &ring;
            before_->next_ = ring.before_ = this;
        }

    private:
        member* of_;
        link* next_ = this;
        link* before_ = this;
    };

public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;
    using client_id = std::uint64_t;

    /// How long a connection may wait before connections in a later phase are preferred to it.
    static constexpr duration patience = std::chrono::seconds(1);

    /// Base of what is listed. `leave` must be called before it is destroyed.
    class member {
    public:
        member() = default;
        member(member const&) = delete;
        member& operator=(member const&) = delete;

        phase doing() const { return doing_; }
        bool listed() const { return client_ != nullptr; }

    private:
        friend connection_list;

        phase doing_ = phase::waiting;
        time_point since_;
        client* client_ = nullptr;
        link among_all_{this}, among_own_{this};
    };

    explicit connection_list(std::size_t most_of_one_client) : most_of_one_client_(most_of_one_client) {}

    std::size_t size() const { return size_; }

    /// The connection that must be closed before the client `id` may have one more, if there may be `most` in all: one of its own if
    /// it has as many as one client may have, any if the list is full, else none.
    member* in_the_way_of(client_id id, std::size_t most, time_point now) const {
        auto const found = clients_.find(id);
        if (found != clients_.end() && found->second.size >= most_of_one_client_) return first_to_go(found->second.own, now);
        return size_ >= most ? first_to_go(all_, now) : nullptr;
    }

    /// Of those that have waited for longer than `patience`, the one in the least finished phase that has waited longest. If
    /// there are none, the longest waiting of all, so that a new connection is not closed by the next. Null if the list is empty.
    member* first_to_go(time_point now) const { return first_to_go(all_, now); }

    /// Lists a connection of the client `id`, which waits for a request now.
    void join(member& m, client_id id, time_point now) {
        m.client_ = &clients_.try_emplace(id, id).first->second;
        ++m.client_->size;
        ++size_;
        enter(m, phase::waiting, now);
    }

    /// Moves a connection to a phase. No effect on one that is not listed.
    void enter(member& m, phase next, time_point now) {
        if (!m.listed()) return;
        m.doing_ = next;
        m.since_ = now;
        m.among_all_.move_to_end_of(all_[index(next)]);
        m.among_own_.move_to_end_of(m.client_->own[index(next)]);
    }

    /// No effect on one that is not listed.
    void leave(member& m) {
        if (!m.listed()) return;
        m.among_all_.leave();
        m.among_own_.leave();
        --size_;
        auto& from = *std::exchange(m.client_, nullptr);
        if (--from.size == 0) clients_.erase(clients_.find(from.id));
    }

    /// Calls `expired` with each connection that has been in `where` for `time()` or longer, which is asked anew for each. It may
    /// leave or change its phase.
    template <class Time, class Handler>
    void for_each_expired(phase where, Time time, time_point now, Handler expired) {
        for (auto* at = all_[index(where)].next(); at->of() != nullptr && now - at->of()->since_ >= time();) {
            auto& m = *at->of();
            at = at->next();
            expired(m);
        }
    }

private:
    using rings = std::array<link, phase_count>;

    struct client {
        explicit client(client_id known) : id(known) {}
        client_id id;
        std::size_t size = 0;
        rings own;
    };

    static std::size_t index(phase of) { return static_cast<std::size_t>(of); }

    static member* first_to_go(rings const& of, time_point now) {
        member* longest = nullptr;
        for (auto const& each : of) {
            auto* const first = each.next()->of();
            if (first == nullptr) continue;
            if (now - first->since_ > patience) return first;
            if (longest == nullptr || first->since_ < longest->since_) longest = first;
        }
        return longest;
    }

    std::size_t most_of_one_client_;
    std::size_t size_ = 0;
    rings all_;
    std::map<client_id, client> clients_;
};

}  // namespace healthz::beast::detail
