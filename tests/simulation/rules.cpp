// SPDX-License-Identifier: BSL-1.0
// Simulates single sources whose rules are random when the program runs: `source_state`, without a monitor around it. Some milliseconds long,
// so that timeouts meet intervals, retries have no pause, and checks last longer than their interval.
#include "model.hpp"
#include "parts.hpp"

#include <healthz/source_state.hpp>

namespace simulation {

namespace {

using state = healthz::detail::source_state<healthz::detail::state_parts{.thresholds = true, .maintenance = true, .timing = true}>;

std::optional<healthz::status> status_of(std::optional<word> w) {
    if (!w) return std::nullopt;
    return static_cast<healthz::status>(*w);
}

/// Lives through one random set of rules.
class life {
public:
    explicit life(std::uint64_t seed)
        : roll_(seed),
          origin_(roll_.one_in(2) ? static_cast<std::uint32_t>(0u - roll_(5000)) : static_cast<std::uint32_t>(roll_(1u << 31) * 2)),
          interval_(roll_.between(1, 40)), timeout_(roll_.one_in(4) ? interval_ : roll_.between(1, 50)),
          pause_(roll_.one_in(3) ? 0 : roll_.between(1, 30)), retries_(static_cast<int>(roll_(5))), rules_{interval_,
                                                                                                           timeout_,
                                                                                                           pause_,
                                                                                                           retries_,
                                                                                                           static_cast<int>(1 + roll_(4)),
                                                                                                           static_cast<int>(1 + roll_(4)),
                                                                                                           roll_.between(0, 20),
                                                                                                           roll_.between(1, interval_)},
          needed_(check_of(rules_)),
          model_(rules_, 0), schedule_{static_cast<std::uint32_t>(interval_), static_cast<std::uint32_t>(timeout_),
                                       static_cast<std::uint32_t>(pause_),    static_cast<std::uint32_t>(rules_.later),
                                       static_cast<std::uint16_t>(retries_),  static_cast<std::uint16_t>(rules_.first)} {}

    tally_of_run run(moment lasts) {
        state_.begin(tick(), schedule_);
        auto const late = roll_.one_in(2) ? 1 : roll_.between(1, 30);
        while (now_ < lasts) {
            turn();
            if (roll_.one_in(40)) report();
            if (roll_.one_in(model_.in_maintenance() ? 10 : 80)) maintain();
            if (roll_.one_in(200)) parent_down_ = !parent_down_;
            if (state_.due() != tick(model_.due()))
                fail("due in " + std::to_string(static_cast<std::int32_t>(state_.due() - tick())) + " ms, in the model in " +
                     std::to_string(model_.due() - now_));
            if (state_.running() != model_.running()) fail("an attempt runs: only one of library and model says so");
            now_ += roll_.one_in(3) ? 0 : roll_.between(1, late);
        }
        return done_;
    }

private:
    using conclusion = model::conclusion;

    static healthz::detail::thresholds check_of(model::rules const& r) {
        return healthz::detail::thresholds(healthz::health_check{.rise = r.rise, .fall = r.fall});
    }
    healthz::tick tick(moment t) const { return static_cast<healthz::tick>(origin_ + static_cast<std::uint64_t>(t)); }
    healthz::tick tick() const { return tick(now_); }

    void turn() {
        auto const before = status_of(model_.verdict());
        using healthz::detail::step;
        auto const wanted = state_.next(tick(), schedule_, [this] { return parent_down_; });
        auto expected = step::sleep;
        if (now_ >= model_.due())
            expected = model_.running() ? step::give_up : model_.in_maintenance() || parent_down_ ? step::withhold : step::start;
        if (wanted != expected)
            fail("step " + std::to_string(static_cast<int>(wanted)) + ", in the model " + std::to_string(static_cast<int>(expected)));
        if (wanted == step::start) {
            model_.start(now_);
            ++done_.attempts;
            answers_ = now_ + (roll_.one_in(8) ? never : roll_.between(0, timeout_ + 3));
        } else if (wanted == step::withhold) {
            auto const found = model_.in_maintenance() ? word::failed : word::error;
            compare(state_.withheld(static_cast<healthz::status>(found), needed_, before), model_.withhold(now_, found));
        }
        if (!model_.running() || (wanted != step::give_up && now_ < answers_)) return;
        bool const answered = now_ >= answers_;
        auto const found = answered ? static_cast<word>(roll_.one_in(2) ? 0 : roll_(4)) : word::timeout;
        bool const may_pass = found == word::failed && roll_.one_in(2);
        auto const lasts = roll_.one_in(8) ? roll_.between(0, 40) : 0;  // the loop was kept
        auto const ours = state_.ended(tick(), static_cast<healthz::status>(found), schedule_, needed_, before, may_pass);
        auto const models = model_.end(now_, found, may_pass);
        if (ours.has_value() != models.has_value()) fail(ours ? "no retry, but in the model" : "a retry, but not in the model");
        if (ours) compare(*ours, *models);
        if (lasts > 0) {
            now_ += lasts;
            state_.lasted(tick(), schedule_);
            model_.lasted(now_);
        }
    }

    void report() {
        auto const found = static_cast<word>(roll_(4));
        auto const ours = state_.reported(tick(), static_cast<healthz::status>(found), schedule_, needed_, status_of(model_.verdict()));
        auto const models = model_.report(now_, found);
        if (ours.has_value() != models.has_value()) fail("a report is taken in by one of library and model");
        if (ours) compare(*ours, *models);
    }

    void maintain() {
        bool const on = roll_.one_in(2);
        if (state_.maintain(on, tick()) != model_.maintain(on, now_)) fail("maintenance changes for one of library and model");
    }

    void compare(healthz::check_event const& ours, conclusion const& models) {
        ++done_.checks;
        auto const number = [](auto const& s) { return s ? std::to_string(static_cast<int>(*s)) : std::string("none"); };
        auto const text = [&](auto before, auto after, int found, int attempts, moment took, bool is_verdict) {
            return "before " + number(before) + ", after " + number(after) + ", found " + std::to_string(found) + ", " +
                   std::to_string(attempts) + " attempts, " + std::to_string(took) + " ms, " + (is_verdict ? "a verdict" : "held back");
        };
        auto const one =
            text(ours.before, std::optional(ours.after), static_cast<int>(ours.found), ours.attempts, ours.took, ours.is_verdict);
        auto const other =
            text(models.before, models.after, static_cast<int>(models.found), models.attempts, models.took, models.is_verdict);
        if (one != other) fail(one + "; in the model " + other);
    }

    [[noreturn]] void fail(std::string const& what) const {
        throw difference("at " + std::to_string(now_) + " ms, interval " + std::to_string(interval_) + ", timeout " +
                         std::to_string(timeout_) + ", retries " + std::to_string(retries_) + ", pause " + std::to_string(pause_) +
                         ", rise " + std::to_string(rules_.rise) + ", fall " + std::to_string(rules_.fall) + ", first " +
                         std::to_string(rules_.first) + ", later " + std::to_string(rules_.later) + ": " + what);
    }

    dice roll_;
    std::uint32_t origin_;
    moment interval_, timeout_, pause_;
    int retries_;
    model::rules rules_;
    healthz::detail::thresholds needed_;
    model::source model_;
    healthz::detail::schedule schedule_;
    state state_;
    moment now_ = 0, answers_ = never;
    bool parent_down_ = false;
    tally_of_run done_;
};

tally_of_run run_rules(std::uint64_t seed, moment lasts) {
    tally_of_run done;
    constexpr moment each = 10 * second;
    for (moment n = 0; n * each < lasts; ++n) {
        try {
            done += life(mix(seed) + static_cast<std::uint64_t>(n)).run(each);
        } catch (difference const& d) {
            throw difference("set of rules " + std::to_string(n) + ", " + d.what());
        }
    }
    return done;
}

add_parts const added{{"rules", 1, 8 * hour, &run_rules}};

}  // namespace

}  // namespace simulation
