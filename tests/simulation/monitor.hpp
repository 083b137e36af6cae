// SPDX-License-Identifier: BSL-1.0
// Simulates one declaration in a monitor: in time that jumps from one moment of consequence to the next, on a clock that wraps, with polls
// that are on time or late, reports, maintenance and sources that come and go. After each call the library has done what the model did.
#pragma once

#include "declaration.hpp"
#include "model.hpp"
#include "simulation.hpp"

#include <healthz/timetable.hpp>
#include <healthz/watchdog.hpp>
#include <healthz/write_json.hpp>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <optional>

namespace simulation {

template <auto const& Plan>
class monitor_simulation {
    static constexpr auto const& sources = declaration<Plan>;
    static constexpr int size = Plan.size;
    using monitor_type = healthz::monitor<sources, healthz::recorded, healthz::switchable, healthz::past<2>>;

public:
    explicit monitor_simulation(std::uint64_t seed)
        : roll_(seed), world_(seed, Plan), stage_(world_, Plan), library_(std::make_unique<monitor_type>()), model_(Plan, world_, rules()),
          origin_(static_cast<std::uint32_t>(0u - roll_(100'000'000))) {}

    tally_of_run run(moment lasts) {
        stage::current = &stage_;
        try {
            poll();
            next_disturbance_ = world_.now + roll_.between(1, typical() * 50);
            while (world_.now < lasts) step();
            compare_all();
        } catch (difference const& d) {
            throw difference("at " + std::to_string(world_.now) + " ms, in step " + std::to_string(step_) + ": " + d.what());
        }
        return done_;
    }

private:
    using word_of = simulation::word;

    static std::vector<model::rules> rules() {
        std::vector<model::rules> all;
        for (int i = 0; i < size; ++i) {
            auto const& s = planned(i);
            auto const& row = healthz::timetable<sources>[static_cast<std::size_t>(i)];
            all.push_back({s.interval, s.timeout, s.pause, s.retries, s.rise, s.fall, row.first,
                           static_cast<moment>(healthz::detail::rows_of<sources>[static_cast<std::size_t>(i)].schedule.later)});
        }
        return all;
    }
    static source_plan const& planned(int i) { return Plan.sources[static_cast<std::size_t>(i)]; }
    static constexpr moment typical() {
        moment sum = 0;
        for (int i = 0; i < size; ++i) sum += Plan.sources[static_cast<std::size_t>(i)].interval;
        return sum / size + 1;
    }

    healthz::tick tick_of(moment t) const { return static_cast<healthz::tick>(origin_ + static_cast<std::uint64_t>(t)); }

    // --- time

    void step() {
        ++step_;
        if (world_.now >= epoch_ends_) begin_epoch();
        auto due = model_.next();
        if (next_disturbance_ < due) {
            world_.now = std::max(world_.now, next_disturbance_);
            next_disturbance_ = world_.now + roll_.between(1, typical() * 50);
            return disturb();
        }
        auto const on_time = std::max(due, world_.now + (due <= world_.now ? idle_polls_++ > 8 ? 1 : 0 : 0));
        if (roll_.one_in(16) && on_time > world_.now + 1) {
            world_.now = roll_.between(world_.now, on_time - 1);  // a poll without consequence
        } else {
            world_.now = on_time + (late_ > 0 ? roll_.between(0, late_) : 0);
            if (on_time > last_poll_) idle_polls_ = 0;
        }
        poll();
    }

    void begin_epoch() {
        auto const kind = roll_(20);
        late_ = kind < 10   ? 0
                : kind < 14 ? roll_.between(1, 50)
                : kind < 17 ? roll_.between(1, typical())
                : kind < 18 ? roll_.between(1, typical() * 100)
                            : 0;
        late_ = std::min(late_, day);
        world_.probes_block = kind >= 18;
        bounded_ = kind < 14;
        epoch_since_ = world_.now;
        epoch_ends_ = world_.now + roll_.between(typical() * 200, typical() * 4000);
    }

    // --- what happens

    void poll() {
        bool const tells_time = roll_.one_in(4) || world_.probes_block;
        auto const now = world_.now;
        begin_call();
        model_.poll(now, tells_time);
        if (tells_time) library_->poll([this] { return tick_of(world_.now); });
        else library_->poll(tick_of(now));
        last_poll_ = now;
        ++done_.polls;
        check_time();
        end_call();
        feed();
    }

    void disturb() {
        ++done_.disturbances;
        auto const i = static_cast<int>(roll_(size));
        auto const kind = roll_(10);
        begin_call();
        if (kind < 6) {
            static constexpr word words[] = {word::ok, word::ok, word::error, word::failed, word::timeout};
            answer const a{words[roll_(5)], 0, static_cast<unsigned>(roll_(1000))};
            auto& undisturbed = undisturbed_since_[static_cast<std::size_t>(i)];
            if (undisturbed != never) undisturbed = world_.now;
            leaves_no_mark_ = model_.at(i).running();
            model_.report(i, model::finding_of(a), world_.now);
            reporters[static_cast<std::size_t>(i)](*library_, a, tick_of(world_.now));
            last_told_ = world_.now;
        } else {
            bool const on = kind < 7;
            undisturbed_since_[static_cast<std::size_t>(i)] = never;
            model_.maintain(i, on, world_.now);
            switches[static_cast<std::size_t>(i)](*library_, on);
            called_for_[static_cast<std::size_t>(i)] = true;
        }
        end_call();
    }

    void begin_call() {
        model_.events.clear();
        model_.probers.trace.clear();
        stage_.trace.clear();
    }

    // --- what is compared

    void end_call() {
        if (stage_.trace != model_.probers.trace) compare_traces();
        done_.attempts += static_cast<std::int64_t>(stage_.trace.size());
        for (auto const& e : model_.events) {
            ++done_.checks;
            compare(e.source);
            compare_record(e.source);
            check_detection(e);
            bool const certain = !std::exchange(leaves_no_mark_, false) &&
                                 !std::exchange(called_for_[static_cast<std::size_t>(e.source)], false) &&
                                 last_event_[static_cast<std::size_t>(e.source)] != e.at;
            last_event_[static_cast<std::size_t>(e.source)] = e.at;
            dog_model_.check_ended(e.source, certain);
            if (e.what.is_verdict && e.what.before != e.what.after && ++changes_ && changes_ % (changes_ < 10000 ? 1 : 64) == 0)
                compare_document();
        }
        if (step_ % 256 == 0) compare_all();
    }

    void check_time() {
        if (world_.now != model_.ended())
            throw difference("the probes took until " + std::to_string(world_.now) + ", in the model until " +
                             std::to_string(model_.ended()));
        if (library_->next_poll() != tick_of(model_.wake()))
            throw difference("next_poll is " + std::to_string(static_cast<std::int32_t>(library_->next_poll() - tick_of(world_.now))) +
                             " ms from now, in the model " + std::to_string(model_.wake() - world_.now));
    }

    void compare_traces() const {
        auto const &ours = stage_.trace, &models = model_.probers.trace;
        std::size_t i = 0;
        while (i < ours.size() && i < models.size() && ours[i] == models[i]) ++i;
        throw difference("the library: " + (i < ours.size() ? to_text(ours[i]) : "nothing") +
                         "; the model: " + (i < models.size() ? to_text(models[i]) : "nothing"));
    }

    static std::string to_text(std::optional<healthz::verdict> const& v) {
        if (!v) return "no verdict";
        return std::string(healthz::to_string(v->status)) + ' ' + std::string(v->error) + " of " + std::to_string(v->timestamp.seconds) +
               " s " + std::to_string(v->timestamp.nanoseconds / 1000000) + " ms";
    }
    static std::string to_text(std::optional<model::verdict> const& v) {
        static constexpr char const* words[] = {"OK", "TIMEOUT", "FAILED", "ERROR"};
        if (!v) return "no verdict";
        return std::string(words[static_cast<int>(v->says)]) + ' ' + v->text + " of " + std::to_string(v->at / 1000) + " s " +
               std::to_string(v->at % 1000) + " ms";
    }
    using trace_text = std::string;
    static std::string to_text(trace_entry const& e) { return simulation::to_text(e); }

    static bool same(std::optional<healthz::verdict> const& ours, std::optional<model::verdict> const& models) {
        if (!ours || !models) return !ours && !models;
        return static_cast<int>(ours->status) == static_cast<int>(models->says) && ours->error == models->text &&
               same_time(ours->timestamp, models->at);
    }
    static bool same_time(healthz::timestamp const& ours, moment models) {
        return ours.seconds == models / 1000 && ours.nanoseconds == static_cast<std::uint32_t>(models % 1000 * 1000000);
    }

    void compare(int i) const {
        auto const ours = library_->report()[static_cast<std::size_t>(i)];
        if (!same(ours, model_.current(i)))
            throw difference("source " + std::to_string(i) + " is " + to_text(ours) + "; in the model " + to_text(model_.current(i)));
        if (library_->report().is_off(static_cast<std::size_t>(i)) != model_.at(i).is_off())
            throw difference("source " + std::to_string(i) + " is off: only one of library and model says so");
        for (std::size_t age = 1; age <= 2; ++age) {
            auto const& before = model_.replaced(i);
            auto const expected = age <= before.size() ? std::optional(before[age - 1]) : std::nullopt;
            auto const kept = library_->past(static_cast<std::size_t>(i), age);
            if (!same(kept, expected))
                throw difference("source " + std::to_string(i) + " was " + to_text(kept) + "; in the model " + to_text(expected));
        }
    }

    void compare_record(int i) const {
        auto const& ours = library_->record(static_cast<std::size_t>(i));
        auto const& models = model_.record(i);
        auto const require = [&](bool condition, char const* what) {
            if (!condition) throw difference("source " + std::to_string(i) + ": in the record of library and model differs: " + what);
        };
        require(ours.attempts == models.attempts,
                ("attempts: " + std::to_string(ours.attempts) + " and " + std::to_string(models.attempts)).c_str());
        require(ours.took == std::min<moment>(models.took * 1000, 4294967295), "took");
        require(same_time(ours.since, models.since), "since");
        require(same_time(ours.last_check, models.last_check), "last_check");
        require(same_time(ours.last_ok, models.last_ok), "last_ok");
        require(ours.checked == models.checked && ours.was_ok == models.was_ok, "checked, was_ok");
        require(ours.maintenance == models.in_maintenance, "maintenance");
        for (std::size_t n = 0; n < 4; ++n) require(ours.checks[n] == models.checks[n], "checks");
        require(ours.attempts_made == models.attempts_made && ours.measured == models.measured, "attempts_made, measured");
        require(ours.changes == models.changes, "changes");
    }

    void compare_all() {
        bool all_ok = true;
        std::size_t pending = 0;
        for (int i = 0; i < size; ++i) {
            compare(i);
            compare_record(i);
            auto const& v = model_.current(i);
            all_ok = all_ok && (v ? v->says == word::ok : model_.at(i).is_off());
            pending += !v && !model_.at(i).is_off();
        }
        if (library_->report().view().all_ok() != all_ok || library_->report().pending() != pending)
            throw difference("all_ok or pending differ");
    }

    // The document is JSON, and says what the model says.
    void compare_document() {
        ++done_.documents;
        auto const text = healthz::write_json(library_->report(), buffer_);
        boost::system::error_code ec;
        boost::json::monotonic_resource memory(parsed_, sizeof parsed_);
        auto const document = boost::json::parse({text.data(), text.size()}, ec, &memory);
        if (ec) throw difference("the document is no JSON: " + std::string(text));
        auto const& all = document.as_object();
        std::size_t count = 0;
        for (int i = 0; i < size; ++i) {
            auto const& v = model_.current(i);
            auto const* entry = all.if_contains(model::name_of(i));
            if ((entry != nullptr) != v.has_value()) throw difference("the document has or lacks source " + std::to_string(i));
            if (!v) continue;
            ++count;
            static constexpr char const* words[] = {"OK", "TIMEOUT", "FAILED", "ERROR"};
            if (entry->as_object().at("status").as_string() != words[static_cast<int>(v->says)])
                throw difference("the document's status of source " + std::to_string(i) + " differs");
            if (boost::json::serialize(entry->as_object().at("error")) != v->text)
                throw difference("the document's error of source " + std::to_string(i) + " differs");
        }
        if (all.size() != count) throw difference("the document has a source too many");
    }

    // --- promises

    // A source that dies while polls are on time is not OK after worst_case_detection.
    void check_detection(model::event const& e) {
        auto const i = static_cast<std::size_t>(e.source);
        if (e.what.is_off || e.what.attempts == 0) {
            if (e.what.is_off || planned(e.source).condition != condition_kind::none) undisturbed_since_[i] = world_.now;
            if (model_.at(e.source).in_maintenance()) undisturbed_since_[i] = never;
            else if (undisturbed_since_[i] == never) undisturbed_since_[i] = world_.now;
            return;
        }
        if (undisturbed_since_[i] == never) undisturbed_since_[i] = world_.now;
        if (!bounded_ || planned(e.source).inverts || e.what.before != word::ok) return;
        auto const spell = world_.weather_of(e.source, world_.now);
        if (!spell.is_death()) return;
        auto const promised = healthz::detail::detection_of<sources>(i, std::chrono::milliseconds(late_)).count();
        auto const calm = std::max(epoch_since_, undisturbed_since_[i]) + promised;
        if (spell.begins < calm) return;
        ++done_.detections;
        if (world_.now - spell.begins > promised)
            throw difference("source " + std::to_string(i) + " died at " + std::to_string(spell.begins) +
                             ", was OK until now, and the worst-case detection is " + std::to_string(promised) + " ms");
    }

    void feed() {
        auto const expected = dog_model_.due([this](int i) -> model::source const& { return model_.at(i); });
        bool const fed = dog_.may_feed(*library_);
        if (fed) {
            ++done_.meals;
            dog_model_.fed();
        }
        using meal = model::watchdog::meal;
        if (fed && expected == meal::none) throw difference("the watchdog is fed, though a source is not OK or has ended no check");
        if (!fed && expected == meal::certain) throw difference("the watchdog starves, though all sources are OK and have ended a check");
    }

    template <std::size_t... Index>
    static constexpr auto make_reporters(std::index_sequence<Index...>) {
        using reporter = void (*)(monitor_type&, answer const&, healthz::tick);
        return std::array<reporter, sizeof...(Index)>{[](monitor_type& m, answer const& a, healthz::tick now) {
            m.template report<name_of<static_cast<int>(Index)>>(outcome_of(a), now);
        }...};
    }
    template <std::size_t... Index>
    static constexpr auto make_switches(std::index_sequence<Index...>) {
        using maintains = void (*)(monitor_type&, bool);
        return std::array<maintains, sizeof...(Index)>{
            [](monitor_type& m, bool on) { m.template maintenance<name_of<static_cast<int>(Index)>>(on); }...};
    }
    static constexpr auto reporters = make_reporters(std::make_index_sequence<static_cast<std::size_t>(size)>());
    static constexpr auto switches = make_switches(std::make_index_sequence<static_cast<std::size_t>(size)>());

    dice roll_;
    world world_;
    stage stage_;
    std::unique_ptr<monitor_type> library_;
    model::monitor model_;
    healthz::watchdog<sources, std::chrono::hours(24 * 20), name_of<0>, name_of<size / 2>> dog_;
    model::watchdog dog_model_{{0, size / 2}};
    std::uint32_t origin_;  // of the clock
    std::int64_t step_ = 0, changes_ = 0;
    moment next_disturbance_ = never, last_poll_ = 0, last_told_ = 0;
    moment epoch_since_ = 0, epoch_ends_ = 0;
    moment late_ = 0;       // how late a poll may be
    bool bounded_ = false;  // whether that is what `worst_case_detection` can be told
    int idle_polls_ = 0;
    std::array<moment, static_cast<std::size_t>(size)> undisturbed_since_{};  // by reports, maintenance and its condition
    std::array<moment, static_cast<std::size_t>(size)> last_event_ = [] {
        std::array<moment, static_cast<std::size_t>(size)> none{};
        none.fill(-1);
        return none;
    }();
    bool leaves_no_mark_ = false;                                    // a report while an attempt runs
    std::array<bool, static_cast<std::size_t>(size)> called_for_{};  // by the end of maintenance
    char buffer_[healthz::max_json_size<sources>];
    unsigned char parsed_[16384];
    tally_of_run done_;
};

template <std::uint64_t Seed, int Sources, scale Scale, int Buses = 0>
tally_of_run run_monitor(std::uint64_t seed, moment lasts) {
    return std::make_unique<monitor_simulation<plan_of<Seed, Sources, Scale, host::monitor, Buses>>>(seed)->run(lasts);
}

}  // namespace simulation
