// SPDX-License-Identifier: BSL-1.0
// Which connections there are, by what they wait for and since when, and which one has to go where there are too many.
// No I/O, no clock.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

namespace healthz::beast {

/// What a connection waits for, the least finished first.
enum class phase : std::uint8_t {
    closing,    ///< its client's end of the connection; all is answered
    waiting,    ///< the first byte of a request
    receiving,  ///< the rest of one
    answering,  ///< its client to take an answer
};
inline constexpr std::size_t phase_count = 4;

/// Connections by phase, in the order in which they entered it; all of them, and again those of each client. Nothing but `join`
/// allocates, and all is done in constant time but for the search for a client, which is logarithmic.
class connection_list {
    struct client;

public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;
    using client_id = std::uint64_t;

    /// How long a connection may wait before others are preferred to it, because they have got further.
    static constexpr duration patience = std::chrono::seconds(1);

    /// Base of what is listed. Must have left before it is destroyed.
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
        // Its places in the two lists, kept here while it is in none.
        std::list<member*> among_all_{this}, among_own_{this};
        std::list<member*>::iterator place_ = among_all_.begin(), own_place_ = among_own_.begin();
    };

    explicit connection_list(std::size_t most_of_one_client) : most_of_one_client_(most_of_one_client) {}

    std::size_t size() const { return size_; }

    /// Which connection must be closed before the client `id` may have one more, where there may be `most`: one of its own where it
    /// has as many as one may have, one of all where the list is full, else none.
    member* in_the_way_of(client_id id, std::size_t most, time_point now) const {
        auto const found = clients_.find(id);
        if (found != clients_.end() && found->second.size >= most_of_one_client_) return first_to_go(found->second.lists, now);
        return size_ >= most ? first_to_go(lists_, now) : nullptr;
    }

    /// Of those that have waited for longer than `patience`, the one in the least finished phase that has waited longest. If
    /// there are none, the longest waiting of all: one that has just come is safe from the next. Null where the list is empty.
    member* first_to_go(time_point now) const { return first_to_go(lists_, now); }

    /// Lists a connection of the client `id`, which waits for a request now.
    void join(member& m, client_id id, time_point now) {
        auto& own = clients_.try_emplace(id, client{id, 0, {}}).first->second;
        m.client_ = &own;
        m.doing_ = phase::waiting;
        m.since_ = now;
        lists_[index(m.doing_)].splice(lists_[index(m.doing_)].end(), m.among_all_);
        own.lists[index(m.doing_)].splice(own.lists[index(m.doing_)].end(), m.among_own_);
        ++own.size;
        ++size_;
    }

    /// A connection comes into a phase. Nothing for one that is not listed.
    void enter(member& m, phase next, time_point now) {
        if (!m.listed()) return;
        move(lists_, m.place_, m.doing_, next);
        move(m.client_->lists, m.own_place_, m.doing_, next);
        m.doing_ = next;
        m.since_ = now;
    }

    /// Nothing for one that is not listed.
    void leave(member& m) {
        if (!m.listed()) return;
        m.among_all_.splice(m.among_all_.end(), lists_[index(m.doing_)], m.place_);
        m.among_own_.splice(m.among_own_.end(), m.client_->lists[index(m.doing_)], m.own_place_);
        --size_;
        auto* const own = m.client_;
        m.client_ = nullptr;
        if (--own->size == 0) clients_.erase(own->id);
    }

    /// Calls `expired` with each connection that has been in `where` for `time` or longer. It may leave or change its phase.
    template <class Handler>
    void for_each_expired(phase where, duration time, time_point now, Handler expired) {
        auto& list = lists_[index(where)];
        for (auto at = list.begin(); at != list.end() && now - (*at)->since_ >= time;) expired(**at++);
    }

private:
    using lists = std::array<std::list<member*>, phase_count>;

    struct client {
        client_id id;
        std::size_t size;
        connection_list::lists lists;
    };

    static std::size_t index(phase of) { return static_cast<std::size_t>(of); }

    static void move(lists& all, std::list<member*>::iterator place, phase from, phase to) {
        all[index(to)].splice(all[index(to)].end(), all[index(from)], place);
    }

    static member* first_to_go(lists const& all, time_point now) {
        member* longest = nullptr;
        for (auto const& list : all) {
            if (list.empty()) continue;
            auto* const first = list.front();
            if (now - first->since_ > patience) return first;
            if (longest == nullptr || first->since_ < longest->since_) longest = first;
        }
        return longest;
    }

    std::size_t most_of_one_client_;
    std::size_t size_ = 0;
    lists lists_;
    std::map<client_id, client> clients_;
};

}  // namespace healthz::beast
