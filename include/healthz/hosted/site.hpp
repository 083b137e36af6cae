// SPDX-License-Identifier: BSL-1.0
// What a program shows of its sources: the views that it lists, as a function from a request to an answer, for any server and any thread.
// Needs Boost.SmartPtr and threads.
#pragma once

#include "../credentials.hpp"
#include "../decide_view.hpp"
#include "../declaration.hpp"
#include "../endpoint.hpp"
#include "../negotiate.hpp"
#include "../record.hpp"
#include "../report.hpp"
#include "../view.hpp"
#include "../views/document.hpp"
#include "../views/metrics.hpp"
#include "../views/page.hpp"
#include "../views/probes.hpp"
#include "../views/table.hpp"
#include "any_authorization.hpp"
#include "http_request.hpp"
#include "kept_view.hpp"
#include "replace_file.hpp"
#include "served_answer.hpp"
#include "shared_document.hpp"
#include "site_answer.hpp"
#include "text_buffer.hpp"
#include "wipe.hpp"

#include <boost/hana/unpack.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace healthz {

/// The views that a server has unless it is given others.
inline constexpr auto default_views = healthz::views(document{}, page{}, metrics{}, hello{}, live<>{}, ready<>{}, startup{});

/// The views `Views` of `Sources`: `update` it at each check, and ask it for answers from any thread. It starts no probe and waits for
/// none.
/// Each view is written at the first request after something has changed, and kept. Meanwhile other requests get the one before, which may
/// be out of date by a tenth of a second at most; those with a query of their own wait until it is written.
template <auto const& Sources, auto const& Views = default_views>
class site {
    static_assert(healthz::detail::require_declaration<Sources>(Sources) && healthz::detail::require_views<Sources, Views>(Views));
    static constexpr auto& entries = detail::entries_of<Views>;

public:
    /// The largest body that a view writes for a request without a query, in bytes.
    static constexpr std::size_t max_body_size = boost::hana::unpack(Views, [](auto const&... each) {
        return std::max({std::remove_cvref_t<decltype(each)>::template max_size<Sources> + each.path.size()...});
    });
    static_assert(max_body_size < std::size_t{1} << 30,
                  "healthz: a view of these would write more than a gigabyte: give its max_size in bytes");

    /// `policy` says who may see the views whose access is `admin`.
    explicit site(detail::any_authorization policy) : policies_(entries.size(), policy) { checked_.fill(now()); }

    site(site const&) = delete;
    site& operator=(site const&) = delete;

    /// Gives the view at `path` a policy of its own. Before the first request. Returns whether there is such a view.
    bool set_policy(std::string_view path, detail::any_authorization policy) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].path != path) continue;
            policies_[i] = std::move(policy);
            return true;
        }
        return false;
    }

    /// Why the site cannot work, such as a secret that is not set; else empty.
    std::string problem() const {
        for (auto const& each : policies_)
            if (!each.problem().empty()) return each.problem();
        return {};
    }

    /// Sets what is told, on the thread that asks, if a policy can no longer work as before, such as by a file without its secret.
    void on_problem(std::function<void(std::string)> const& handler) const {
        for (auto const& each : policies_) each.on_problem(handler);
    }

    /// The checks begin now: it counts from here what is stale. Before the first request.
    void start() {
        std::lock_guard lock(mutex_);
        checked_.fill(now());
        next_stale_ = 0;  // to be found anew
    }

    /// Takes in a check. Call it for each: `checks.on_check([&](healthz::event const& e) { site.update(e); })`. One thread at a time.
    void update(event const& e) {
        if (has_document && (e.is_verdict || e.is_off)) document_.update(e.report, e.index);
        std::lock_guard lock(mutex_);
        if (e.is_verdict) report_.publish(e.index, e.verdict.status, e.verdict.error, e.verdict.timestamp);
        if (e.is_off) report_.withdraw(e.index);
        records_[e.index] = e.record;
        checked_[e.index] = now();
        if (auto const then = stale_from(e.index); then < next_stale_) next_stale_ = then;
        ++generation_;
    }

    /// Writes all metrics into a file, in the text format, such as one of node_exporter's textfile collector: for programs without HTTP. It
    /// is replaced as a whole. Any thread; blocks as the file system does. Returns why that failed, or nothing.
    std::string write_metrics_file(std::string const& path) const {
        std::string text;
        with_data([&text](view_data const& data) { healthz::write_metrics(data, [&text](std::string_view piece) { text += piece; }); });
        return healthz::detail::replace_file(path, text);
    }

    /// Calls `f` with all that is known now, as a `healthz::view_data`. Any thread; meanwhile no check is taken in, and no view written.
    template <std::invocable<view_data const&> F>
    void with_data(F f) const {
        std::lock_guard lock(mutex_);
        f(view_data(source()));
    }

    /// From now on the program is about to end: `ready` says so.
    void drain() {
        std::lock_guard lock(mutex_);
        draining_ = true;
        ++generation_;
        for (auto& of_view : kept_)
            for (auto& each : of_view) each.forget();  // at once, also beside other threads
    }

    /// Answers a request. `ask` is called with the name of a header field, in lower case, and returns its value, or nothing if there is no
    /// such field: an optional of a string or of a string_view. That a field is there twice does not show here, and so is not refused:
    /// where it can be told, hand `answer_to` a `http_request`.
    template <class Ask>
    site_answer operator()(std::string_view method, std::string_view path, std::string_view query, Ask ask) const {
        auto role = ask("x-hasura-role");
        auto admin_secret = ask("x-hasura-admin-secret");
        auto access_key = ask("x-hasura-access-key");
        auto authorization = ask("authorization");
        auto accept = ask("accept");
        auto const view = [](auto const& text) { return text ? std::optional<std::string_view>(*text) : std::nullopt; };
        return answer_to({method, path, query, view(role), view(admin_secret), view(access_key), view(authorization), view(accept)});
    }

    /// The same for a request whose fields are known.
    site_answer answer_to(site_request const& request) const {
        auto const found = decide(request);
        site_answer result{};
        result.fields[0] = {"Cache-Control", "no-store"};
        result.fields[1] = {"X-Content-Type-Options", "nosniff"};
        result.has_body = request.method != "HEAD";
        if (found.how != answer::document) {
            auto const error = healthz::error_of(found.how);
            result.status = error.status;
            result.reason = error.reason;
            result.type = detail::json_type_name;
            result.body = error.body;
            if (found.how == answer::method_not_allowed) result.fields[2] = {"Allow", "GET, HEAD"};
            if (error.status == 401) result.fields[2] = {"WWW-Authenticate", challenge_for(request)};
            return result;
        }
        auto const served = show(found, std::nullopt);  // servers have a date of their own
        result.owner = served.whole;
        result.status = served.unavailable ? 503 : served.whole->status;
        result.reason = healthz::detail::reason_of(result.status);
        auto const& entry = entries[found.view];
        result.type = served.whole->status == 404 ? detail::json_type_name : entry.types[found.request.type].data();
        result.body = served.whole->body();
        auto const& fields = detail::fields_of_views<Views>[found.view];
        for (std::size_t i = 0; i < fields.size() && i < 3; ++i) result.fields[2 + i] = fields[i];
        return result;
    }

    /// Answers a request with the bytes of a whole response, for our own server, which may show those views alone that are open.
    detail::served_answer serve(site_request const& request, std::time_t time, access shown = access::admin) const {
        auto const found = decide(request, shown);
        if (found.how == answer::document) return show(found, time);
        std::lock_guard lock(errors_mutex_);
        auto& errors = detail::is_for_browser(request) ? browser_errors_ : errors_;
        return {found.how, errors.at(found.how, time)};
    }

private:
    static constexpr bool has_document = [] {
        for (auto const& each : entries)
            if (each.is_document) return true;
        return false;
    }();
    static constexpr std::size_t most_types = [] {
        std::size_t most = 1;
        for (auto const& each : entries) most = std::max(most, each.types.size());
        return most;
    }();
    using decision = detail::view_decision;

    static std::int64_t now() {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }

    static std::string_view challenge_for(site_request const& request) {
        return detail::is_for_browser(request) ? detail::basic_challenge : challenge;
    }

    decision decide(site_request const& request, access shown = access::admin) const {
        std::array<char, max_credentials_size> buffer;
        auto const policy_of = [this](std::size_t view) -> auto const& { return policies_[view]; };
        auto const decided = healthz::detail::decide_view(request, entries, policy_of, buffer, shown);
        if (request.authorization) healthz::detail::wipe(buffer.data(), buffer.size());
        return decided;
    }

    detail::served_answer show(decision const& found, std::optional<std::time_t> time) const {
        auto const& entry = entries[found.view];
        if (entry.is_document && found.request.rest.empty() && !healthz::detail::has_parameter(found.request.query, "verbose")) {
            auto whole = time ? document_.latest(*time) : document_.latest();
            bool const unavailable = healthz::detail::is_strict_query(found.request.query) && !whole->all_ok;
            return {answer::document, std::move(whole), unavailable};
        }
        if (found.request.rest.empty() && found.request.query.empty()) return {answer::document, kept(found, time)};
        boost::intrusive_ptr<detail::rendered_answer> once(new detail::rendered_answer);
        if (time) once->second = *time;
        std::lock_guard lock(mutex_);
        render(found, source(), *once);
        return {answer::document, std::move(once)};
    }

    // The view as it was written last, or written now where something has changed; but where another thread is about to write, it as it
    // was a moment ago.
    detail::shared_answer kept(decision const& found, std::optional<std::time_t> time) const {
        auto& view = kept_[found.view][2 * found.request.type + found.as_admin];
        auto const moment = now();
        auto const current = [&] { return moment < next_stale_ ? view.current(generation_, moment, time) : nullptr; };
        if (auto known = current()) return known;
        auto lock = healthz::detail::lock_soon(mutex_);
        if (!lock) {
            if (auto known = view.recent(moment, time)) return known;
            lock.lock();
        }
        auto const from = source();
        if (moment >= next_stale_) count_stale(from);
        if (auto known = current()) return known;  // written meanwhile
        return view.replace(generation_, moment, time, [&](detail::rendered_answer& into) { render(found, from, into); });
    }

    detail::view_source source() const { return {report_.view(), records_, detail::facts_of<Sources>, checked_, now(), draining_}; }

    // When source `index` becomes stale, unless it is checked before.
    std::int64_t stale_from(std::size_t index) const {
        return checked_[index] + std::int64_t{detail::facts_of<Sources>[index].worst_case_detection} + detail::most_late + 1;
    }

    // What is stale changes what views show, as a check does.
    void count_stale(detail::view_source const& from) const {
        open_data const data(from);
        auto next = std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < size_of<Sources>; ++i) {
            bool const is_stale = data.is_stale(i);
            if (!is_stale) next = std::min(next, stale_from(i));
            if (is_stale == stale_[i]) continue;
            stale_[i] = is_stale;
            ++generation_;
        }
        next_stale_ = next;
    }

    void render(decision const& found, detail::view_source const& from, detail::rendered_answer& into) const {
        healthz::detail::visit_view<Sources, Views>(found, from,
                                                    [&](auto const& view, auto const& data) { render(view, data, found.request, into); });
    }
    template <class View, class Data>
    void render(View const& view, Data const& data, view_request const& request, detail::rendered_answer& into) const {
        auto const status = healthz::detail::status_of_view(view, data, request);
        body_.clear();
        if (status != 404) view.write(data, request, body_);
        else body_(healthz::error_of(answer::not_found).body);
        head_.assign(detail::http_version)
            .append(std::to_string(status))
            .append(detail::http_space)
            .append(healthz::detail::reason_of(status));
        head_ += detail::http_line_end;
        for (auto const& [name, value] : healthz::detail::fields_of<View>())
            head_.append(name).append(": ").append(value).append(detail::http_line_end);
        into.status = status;
        into.assign(head_, body_.view(), false, status == 404 ? detail::json_type : View::types[request.type]);
    }

    std::vector<detail::any_authorization> policies_;
    shared_document document_;
    std::atomic<std::uint64_t> mutable generation_ = 1;  // changes under the next lock, as does the next
    std::atomic<std::int64_t> mutable next_stale_ = 0;   // before that nothing becomes stale
    std::mutex mutable mutex_;                           // of all that follows
    report<Sources> report_;
    std::array<record, size_of<Sources>> records_{};
    std::array<std::int64_t, size_of<Sources>> checked_;
    bool draining_ = false;
    std::array<bool, size_of<Sources>> mutable stale_{};
    detail::text_buffer mutable body_;  // of one type for all views, so that what they share is compiled once
    std::string mutable head_;          // whose memory is used again
    std::array<std::array<detail::kept_view, 2 * most_types>, entries.size()> mutable kept_{};  // each has a lock of its own besides
    std::mutex mutable errors_mutex_;                                                           // of the errors
    detail::error_answers mutable errors_;
    detail::error_answers mutable browser_errors_{detail::basic_challenge};
};

}  // namespace healthz
