// SPDX-License-Identifier: BSL-1.0
// The conformance suite: does to a prober's server what can happen to a server, and looks what the prober makes of it.
// Needs Boost.Asio and Linux; no test framework.
#pragma once

#include "fault_table.hpp"
#include "live.hpp"
#include "odd_servers.hpp"

#include <healthz/hosted/setting.hpp>

#include <cstdlib>
#include <functional>
#include <map>

namespace test {

/// Where the prober under test looks. Its declaration says `env(place_variable)`, and the suite sets that.
inline constexpr char const* place_variable = "CONFORMANCE_PLACE";

/// What happened under one fault. In order if `complaint` is empty.
struct observation {
    std::string fault;
    std::string seen;
    std::string complaint;
};

/// Runs the faults for which `table` has a row with the name of the subject, each through a runner. A subject describes a
/// prober and its real server; it has
///
///     static constexpr char const* name;                // in the table
///     static constexpr my_prober prober;                // with env(place_variable)
///     static constexpr std::chrono::milliseconds deadline;  // that hangs are given
///     static constexpr char const* secret;              // optional: stands in each place, and may stand in no error
///     static constexpr my_prober fresh;                 // optional: one that keeps no connection
///     static constexpr long threads = 0;                // optional: how many its driver may start when it likes, and never more
///     std::string place();                              // of the server; it runs and is as it should be after this
///
/// and, as far as its rows need them,
///
///     std::string place_at(std::string host, std::string port);  // the same with another server
///     std::string port();                               // of the server, on 127.0.0.1
///     void kill(), sigstop(), sigcont();
///     int connections();                                // of the prober, that the server knows
///     std::string slow_query(), wrong_password(), unknown_database(), bad_query(), wrong_certificate(), expired_certificate(),
///         odd_bytes(), ten_megabytes();                 // arrange for that, and tell the place
///
/// No other thread may look at the environment meanwhile. Takes some tens of deadlines, and seconds for the cycles.
template <class Subject>
class conformance {
public:
    conformance(Subject& subject, fault_table const& table) : subject_(subject), table_(table) {}

    std::vector<observation> run() {
        std::vector<observation> all;
        for (auto const& fault : table_.faults(Subject::name)) {
            observation one{fault, {}, {}};
            expected_ = *table_.find(fault, Subject::name);
            auto const how = faults_.find(fault);
            try {
                if (how == faults_.end()) one.complaint = "there is no such fault, or the subject cannot arrange for it";
                else one.seen = how->second();
                auto const wanted = expected_.verdict + " " + (expected_.message.empty() ? "" : expected_.message + " ") + expected_.told;
                if (one.complaint.empty() && one.seen != wanted) one.complaint = "expected: " + wanted;
                if (!quoted_) one.complaint += " not quoted: " + expected_.quotes;
                if (!leaked_.empty()) one.complaint += " leaked: " + leaked_;
                if (!none_left()) one.complaint += " connections are left on the server";
            } catch (std::exception const& e) {
                one.complaint = e.what();
            }
            if (!one.complaint.empty()) one.complaint += "; the last error: " + last_error_;
            leaked_.clear();
            quoted_ = true;
            all.push_back(std::move(one));
        }
        return all;
    }

private:
    static constexpr auto deadline = Subject::deadline;
    static constexpr milliseconds interval = deadline + 300ms;
    static constexpr milliseconds patience = 20s;
    template <auto const& Prober>
    static constexpr auto calm = healthz::sources(healthz::source<"subject">(Prober,
                                                                             {.interval = 50ms, .timeout = patience, .retries = 0}));
    template <auto const& Prober>
    static constexpr auto busy = healthz::sources(healthz::source<"subject">(Prober, {.interval = 1ms, .timeout = patience, .retries = 0}));
    static constexpr auto strict =
        healthz::sources(healthz::source<"subject">(Subject::prober, {.interval = interval, .timeout = deadline, .retries = 0}));
    using calm_monitor = live<calm<Subject::prober>>;
    using strict_monitor = live<strict>;

    static void look_at(std::string const& place) {
        ::setenv(place_variable, place.c_str(), 1);
        healthz::read_environment();
    }

    // ---- in words

    /// Verdict and message; notes what must and what must not stand in an error.
    std::string in_words(event const& e) {
        last_error_ = e.error;
        quoted_ = e.error.find(expected_.quotes) != std::string::npos;
        if (!healthz::detail::is_utf8(e.error)) leaked_ = "bytes that are no UTF-8";
        if constexpr (requires { Subject::secret; })
            if (leaked_.empty()) leaked_ = leak(e.error, Subject::secret);
        std::string found(to_string(e.status));
        constexpr std::string_view begin = R"({"message":")";
        if (e.error.starts_with(begin)) found += " " + e.error.substr(begin.size(), e.error.find('"', begin.size()) - begin.size());
        return found;
    }
    static std::string soon(clock::duration took) { return took < patience / 2 ? " at once" : " late"; }
    static std::string by_ms(clock::duration d) { return std::to_string(std::chrono::duration_cast<milliseconds>(d).count()) + " ms"; }

    /// For the verdict of a check that began at `begin`.
    static std::string at_deadline(clock::duration took) {
        if (took < deadline - 5ms) return " after " + by_ms(took) + " of " + by_ms(deadline);
        if (took > deadline + prompt()) return " late by " + by_ms(took - deadline);
        return " at the deadline";
    }

    // ---- what can be seen

    /// Whether the server, which runs, has nothing left of the prober some time after a monitor's end.
    bool none_left() {
        subject_.place();
        if constexpr (requires { subject_.connections(); }) return eventually([&] { return subject_.connections() == 0; }, 10s);
        return true;
    }

    std::string first_of_calm(std::string const& place) {
        look_at(place);
        calm_monitor monitor;
        auto const first = monitor.wait_for(1)[0];
        return in_words(first) + soon(first.time - monitor.started());
    }
    std::string first_of_strict(std::string const& place) {
        look_at(place);
        strict_monitor monitor;
        auto const first = monitor.wait_for(1)[0];
        auto const found = in_words(first) + at_deadline(first.time - monitor.started());
        if (auto const took = monitor.stop(); took > 1s + prompt()) return found + ", stops after " + by_ms(took);
        return found;
    }

    /// The server stands still while the prober has a connection, and still while it opens another one.
    std::string stopped() {
        auto const place = subject_.place();
        if constexpr (requires { subject_.slow_query(); }) {
            look_at(subject_.slow_query());
            strict_monitor monitor;
            asked_or(deadline / 2);
            subject_.sigstop();
            auto const first = monitor.wait_for(1)[0];
            auto const found = in_words(first) + at_deadline(first.time - monitor.started());
            subject_.sigcont();
            if (found != "TIMEOUT at the deadline") return found + " in the middle of a query";
            monitor.stop();
        }
        look_at(subject_.place());
        strict_monitor monitor;
        if (!monitor.becomes(healthz::status::ok)) return "not OK before";
        subject_.sigstop();
        auto const before = monitor.count();
        bool const seen = eventually([&] { return monitor.count() >= before + 3; });
        subject_.sigcont();
        if (!seen) return "no verdict while the server stands still";
        auto const all = monitor.events();
        std::string found;
        for (auto i = before + 1; i < before + 3; ++i) {
            // Checks start on the grid of the interval, which tells nothing where a verdict may be later than the next start.
            auto const into_check = (all[i].time - monitor.started() + 5ms) % interval - 5ms;
            found = in_words(all[i]) + at_deadline(deadline + prompt() < interval ? into_check : deadline);
            if (found != "TIMEOUT at the deadline") return found;
        }
        continued_ = monitor.becomes(healthz::status::ok);
        return found;
    }
    std::string continued() {
        if (!continued_) stopped();
        return continued_ ? "OK within one cycle" : "not OK again";
    }

    /// What lies between forgets the connection that the prober keeps, and nobody says so. New ones work.
    std::string forgotten() {
        subject_.place();
        forgetful_proxy between(subject_.port());
        look_at(subject_.place_at("127.0.0.1", between.port()));
        strict_monitor monitor;
        if (!monitor.becomes(healthz::status::ok)) return "not OK before";
        between.forget();
        if (!monitor.becomes(healthz::status::timeout)) return "no TIMEOUT on the silent connection";
        return monitor.becomes(healthz::status::ok) ? "OK within one cycle" : "not OK again";
    }

    /// Waits until the server knows a connection, where it tells, or for a while.
    void asked_or(milliseconds pause) {
        std::this_thread::sleep_for(pause);
        if constexpr (requires { subject_.connections(); }) eventually([&] { return subject_.connections() > 0; }, 10s);
    }

    std::string killed() {
        std::string place = subject_.place();
        constexpr bool slow = requires { subject_.slow_query(); };
        if constexpr (requires { subject_.slow_query(); }) place = subject_.slow_query();
        look_at(place);
        calm_monitor monitor;
        if (!slow && !monitor.becomes(healthz::status::ok)) return "not OK before";
        if (slow) asked_or(200ms);
        else subject_.sigstop();
        if (!slow) std::this_thread::sleep_for(200ms);
        auto const before = monitor.count();
        auto const begin = clock::now();
        subject_.kill();
        auto const first = monitor.wait_for(before + 1)[before];
        return in_words(first) + soon(first.time - begin);
    }

    std::string restarted() {
        look_at(subject_.place());
        calm_monitor monitor;
        if (!monitor.becomes(healthz::status::ok)) return "not OK before";
        subject_.kill();
        if (!monitor.becomes(healthz::status::error)) return "not an ERROR while it is down";
        subject_.place();
        auto const before = monitor.count();
        auto const all = monitor.wait_for(before + 2);
        auto const second = all[before + 1];  // a check may have been on its way
        return in_words(second) + (second.status == healthz::status::ok ? " within one cycle" : " after a restart");
    }

    /// A thousand checks, the last of them as the first; from the hundredth on nothing grows.
    template <auto const& Prober>
    std::string cycles(std::string const& place) {
        constexpr std::size_t count = sanitized ? 400 : 1000;
        struct {
            std::size_t descriptors;
            long memory, threads;
        } early{}, late{};
        auto const look = [](auto& here) {
            here = {open_descriptors(), process_status("VmRSS"), process_status("Threads")};
            for (int i = 0; i < 20; ++i) {  // one may be open or not at any moment, also a server's in this process
                std::this_thread::sleep_for(1ms);
                here.descriptors = std::min(here.descriptors, open_descriptors());
            }
        };
        look_at(place);
        std::string found;
        {
            live<busy<Prober>> monitor;
            auto const reach = [&](std::size_t wanted) {
                if (!eventually([&] { return monitor.count() >= wanted; }, 120s)) throw std::runtime_error("too slow for its cycles");
            };
            reach(100);
            look(early);
            reach(count);
            look(late);
            // The server may learn late that one has ended; what is left behind never goes.
            if constexpr (requires { subject_.connections(); })
                if (!eventually([&] { return subject_.connections() <= 2; }, 10s)) found += "connections grow, ";
            auto const all = monitor.events();
            for (auto const& each : all)
                if (each.status != all[0].status) found += "not all alike, ";
            found += in_words(all.back());
        }
        if (late.descriptors > early.descriptors + 1) found += ", descriptors grow";
        long own_threads = 0;
        if constexpr (requires { Subject::threads; }) own_threads = Subject::threads;
        if (late.threads > early.threads + 3 + own_threads) found += ", threads grow";  // one that has told its finding may not be idle yet
        if (!sanitized && late.memory - early.memory > 2500)
            found += ", memory grows by " + std::to_string(late.memory - early.memory) + " kB";
        return found + " at once";
    }

    // ---- the faults, as far as the subject can arrange for them

    std::map<std::string, std::function<std::string()>, std::less<>> faults() {
        std::map<std::string, std::function<std::string()>, std::less<>> all;
        all["none"] = [this] { return first_of_calm(subject_.place()); };
        all["1,000 cycles"] = [this] { return cycles<Subject::prober>(subject_.place()); };
        if constexpr (requires { Subject::fresh; })
            all["1,000 cycles, a connection each"] = [this] { return cycles<Subject::fresh>(subject_.place()); };
        if constexpr (requires { subject_.place_at("", ""); }) {
            auto const at = [this](std::string const& port) { return subject_.place_at("127.0.0.1", port); };
            all["refused"] = [=, this] { return first_of_calm(at(closed_port().port())); };
            all["1,000 cycles refused"] = [=, this] { return cycles<Subject::prober>(at("1")); };
            all["name does not resolve"] = [this] { return first_of_calm(subject_.place_at("no-such-host.invalid", "1")); };
            all["SYN never answered"] = [=, this] {
                full_backlog const full;
                return first_of_strict(at(full.port()));
            };
            all["accepted, then silent"] = [=, this] {
                odd_server const silent(odd_server::wait_for_end);
                return first_of_strict(at(silent.port()));
            };
        }
        if constexpr (requires { subject_.sigstop(); }) {
            all["stopped in the middle of a query"] = [this] { return stopped(); };
            all["goes on after it was stopped"] = [this] { return continued(); };
        }
        if constexpr (requires {
                          subject_.port();
                          subject_.place_at("", "");
                      })
            all["kept connection goes silent, new ones work"] = [this] { return forgotten(); };
        if constexpr (requires { subject_.kill(); }) {
            all["killed during a query"] = [this] { return killed(); };
            all["restarted"] = [this] { return restarted(); };
        }
        if constexpr (requires { subject_.slow_query(); }) all["slow query"] = [this] { return first_of_strict(subject_.slow_query()); };
        if constexpr (requires { subject_.wrong_password(); })
            all["wrong password"] = [this] { return first_of_calm(subject_.wrong_password()); };
        if constexpr (requires { subject_.unknown_database(); })
            all["unknown database"] = [this] { return first_of_calm(subject_.unknown_database()); };
        if constexpr (requires { subject_.bad_query(); }) {
            all["query or protocol error"] = [this] { return first_of_calm(subject_.bad_query()); };
            all["1,000 such errors"] = [this] { return cycles<Subject::prober>(subject_.bad_query()); };
        }
        if constexpr (requires { subject_.wrong_certificate(); })
            all["certificate for another name"] = [this] { return first_of_calm(subject_.wrong_certificate()); };
        if constexpr (requires { subject_.expired_certificate(); })
            all["certificate expired"] = [this] { return first_of_calm(subject_.expired_certificate()); };
        if constexpr (requires { subject_.odd_bytes(); })
            all["reply in Latin-1 or with NUL bytes"] = [this] { return first_of_calm(subject_.odd_bytes()); };
        if constexpr (requires { subject_.ten_megabytes(); })
            all["reply of 10 MB"] = [this] { return first_of_calm(subject_.ten_megabytes()); };
        return all;
    }

    Subject& subject_;
    fault_table const& table_;
    std::map<std::string, std::function<std::string()>, std::less<>> const faults_ = faults();
    expectation expected_;
    std::string last_error_;
    std::string leaked_;
    bool quoted_ = true;
    bool continued_ = false;
};

}  // namespace test
