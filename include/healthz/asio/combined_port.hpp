// SPDX-License-Identifier: BSL-1.0
// Combinations of probers that wait: their members run at the same time, each in the way of its kind.
// Needs Boost.Asio and threads.
#pragma once

#include "../combine.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "erased_session.hpp"
#include "ports.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/hana/at.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace healthz::detail {

/// `inverted`, `all_of` or `any_of` with a member that is a coroutine or may block. As soon as the outcome is certain, it is reported
/// and the members that still run are given up. A member that does not end, such as a call that is stuck, takes part in no later
/// attempt until it has ended: it is never started twice at a time.
template <class Combination, class Indices = std::make_index_sequence<Combination::size>>
class combined_port;
template <class Combination, std::size_t... Index>
class combined_port<Combination, std::index_sequence<Index...>> : public probe_port,
                                                                  public std::enable_shared_from_this<combined_port<Combination>> {
public:
    combined_port(net::any_io_executor const& executor, Combination const& settings, timekeeping const& time)
        : now_(time.now), members_{member{make_member_port(executor, boost::hana::at_c<Index>(settings.members), time)}...} {}

    void start(attempt a, done on_done) override {
        on_done_ = std::move(on_done);
        ++attempts_;
        deadline_ = now_() + a.timeout;
        counted_ = tally();
        by_probes_ = true;
        may_pass_ = false;
        ended_.reset();
        unsure_ = false;
        for (auto& each : members_) each.wanted = true;
        for (std::size_t i = 0; i < members_.size(); ++i)  // the first may decide before the next begins
            if (members_[i].wanted && !members_[i].busy) begin(i, a);
    }
    void give_up() override {
        if (auto const on_done = end()) on_done(finding(healthz::timeout()));
    }
    void stop() override {
        on_done_ = nullptr;
        for (auto& each : members_) each.wanted = false;
        for (auto& each : members_) each.port->stop();
    }

private:
    using time_point = std::chrono::steady_clock::time_point;
    using outcome_type = typename Combination::outcome_type;
    using tally = healthz::detail::tally<Combination::how, outcome_type>;

    struct member {
        std::shared_ptr<probe_port> port;
        bool wanted = false;    // the attempt needs its outcome
        bool busy = false;      // it runs, perhaps for an attempt before
        bool given_up = false;  // and has been cancelled
    };

    template <class Prober>
    static std::shared_ptr<probe_port> make_member_port(net::any_io_executor const& executor, Prober const& prober,
                                                        timekeeping const& time) {
        return time.make_port(executor, prober_row{&prober, functions_for<Prober>});
    }

    void begin(std::size_t index, attempt a) {
        members_[index].busy = true;
        members_[index].given_up = false;
        members_[index].port->start(a, [weak = this->weak_from_this(), index, number = attempts_](finding const& found) {
            if (auto const self = weak.lock()) self->member_ended(index, number, found);
        });
    }

    void member_ended(std::size_t index, std::uint32_t number, finding const& found) {
        members_[index].busy = false;
        if (!members_[index].wanted) return;
        if (number != attempts_) {  // what it found is too old; now it can join
            auto const left = std::chrono::floor<std::chrono::milliseconds>(deadline_ - now_());
            if (left > std::chrono::milliseconds(0)) begin(index, attempt{left});
            return;
        }
        members_[index].wanted = false;
        // That something is broken is no proof that it is absent.
        if (Combination::how == combining::inverted && !found.by_probe) return end()(found);
        by_probes_ = by_probes_ && found.by_probe;
        may_pass_ = may_pass_ || found.may_pass;
        if (!found.ended) unsure_ = unsure_ || now_() > deadline_;
        else if (!ended_ || *found.ended > *ended_) ended_ = found.ended;
        auto const result = counted_.count(index, found.status, found.json);
        bool waits = false;
        for (auto const& each : members_) waits |= each.wanted;
        if (!result && waits) return;
        finding combined(result ? *result : counted_.rest());
        combined.by_probe = by_probes_ || combined.status == status::ok;
        combined.may_pass = may_pass_ && combined.status == status::failed;
        if (!unsure_ || (ended_ && *ended_ > deadline_)) combined.ended = ended_;
        end()(combined);
    }

    // Ends the attempt, and returns its callback.
    done end() {
        auto on_done = std::exchange(on_done_, nullptr);
        for (auto& each : members_) each.wanted = false;
        for (auto& each : members_)
            if (each.busy && !std::exchange(each.given_up, true)) each.port->give_up();
        return on_done;
    }

    time_point (*now_)();
    std::array<member, Combination::size> members_;
    done on_done_;
    std::uint32_t attempts_ = 0;
    time_point deadline_;
    tally counted_;
    bool by_probes_ = true;            // whether nothing of it is an error that no probe reported
    std::optional<time_point> ended_;  // when the last of its members that report a time ended
    bool unsure_ = false;              // whether one that reports none was read after the deadline
    bool may_pass_ = false;            // whether this process lacked what a member takes
};

template <class Combination>
std::shared_ptr<probe_port> make_combined_port(net::any_io_executor const& executor, void const* prober, timekeeping const& time) {
    return std::make_shared<combined_port<Combination>>(executor, *static_cast<Combination const*>(prober), time);
}

}  // namespace healthz::detail
