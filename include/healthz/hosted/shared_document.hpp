// SPDX-License-Identifier: BSL-1.0
// The answer to a request, made when a verdict changes, and shared by all connections.
// Needs Boost.SmartPtr.
#pragma once

#include "../endpoint.hpp"
#include "../response.hpp"
#include "../text.hpp"
#include "../verdict.hpp"
#include "live_document.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace healthz {

namespace detail {

/// A whole response, as most requests get it, and its parts for the others. Counts its own references.
struct rendered_answer : boost::intrusive_ref_counter<rendered_answer> {
    std::string bytes;            ///< the status line and what belongs to it, the date, the common fields, an empty line, the body
    std::size_t status_size = 0;  ///< how many of these bytes come before the date
    std::size_t header_size = 0;  ///< and how many before the body
    std::time_t second = 0;       ///< of the date
    bool all_ok = false;          ///< what `?strict=true` asks
    unsigned status = 200;        ///< of the status line

    rendered_answer() = default;
    rendered_answer(std::string_view status_line, std::string_view body, bool every_source_ok = false, std::string_view type = json_type) {
        assign(status_line, body, every_source_ok, type);
    }

    /// `status_line` may have further fields behind it, as lines.
    void assign(std::string_view status_line, std::string_view body, bool every_source_ok, std::string_view type = json_type) {
        auto const date = date_line();
        auto const size = std::to_string(body.size());
        auto const before_body =
            status_line.size() + date.size() + before_type.size() + type.size() + after_type.size() + size.size() + http_header_end.size();
        bytes.reserve(before_body + body.size());  // what may throw comes first
        status_size = status_line.size();
        header_size = before_body;
        all_ok = every_source_ok;
        bytes.clear();
        bytes.append(status_line).append(date.data(), date.size()).append(before_type).append(type).append(after_type);
        bytes.append(size).append(http_header_end).append(body);
    }

    void set_date(std::time_t now) {
        second = now;
        auto const date = date_line();
        copy_text({date.data(), date.size()}, bytes.data() + status_size);
    }

    std::string_view status_line() const { return text_until(bytes, status_size); }
    /// What follows the status line, as far as a response to HEAD has it.
    std::string_view header() const { return text_from(text_until(bytes, header_size), status_size); }
    std::string_view header_and_body() const { return text_from(bytes, status_size); }
    std::string_view body() const { return text_from(bytes, header_size); }

private:
    std::array<char, 37> date_line() const { return healthz::date_field(std::chrono::sys_seconds(std::chrono::seconds(second))); }
};

/// An answer that does not change as long as this points to it.
using shared_answer = boost::intrusive_ptr<rendered_answer const>;

/// Gives an answer the date of `now`: in place if there is no other reference to it, else `which` becomes a copy. No other
/// thread may copy `which` at the same time.
inline void set_date(boost::intrusive_ptr<rendered_answer>& which, std::time_t now) {
    if (which->second == now) return;
    if (which->use_count() != 1) which.reset(new rendered_answer(*which));
    which->set_date(now);
}

/// The answers that are not the document. Not thread safe.
class error_answers {
public:
    /// What a 401 asks for is a `challenge`.
    explicit error_answers(std::string_view asked = challenge) {
        for (std::size_t i = 2; i < answer_count; ++i) {
            auto const which = static_cast<answer>(i);
            auto const error = healthz::error_of(which);
            std::string status_line(http_version);
            status_line.append(std::to_string(error.status)).append(http_space).append(error.reason).append(http_line_end);
            if (error.status == 401) status_line.append("WWW-Authenticate: ").append(asked).append(http_line_end);
            else status_line.append(healthz::detail::field_of(which));
            all_[i].reset(new rendered_answer(status_line, error.body));
            all_[i]->status = error.status;
        }
    }

    /// Not for the two documents.
    shared_answer at(answer which, std::time_t now) {
        auto& found = all_[static_cast<std::size_t>(which)];
        healthz::detail::set_date(found, now);
        return found;
    }

private:
    std::array<boost::intrusive_ptr<rendered_answer>, answer_count> all_;
};

}  // namespace detail

/// Holds the latest document. One thread at a time may call `update`, any thread `latest`, which waits at most for another that takes it,
/// once a second for its date to be written. What is new is written beside the latest answer, and takes its place.
class shared_document {
public:
    shared_document() { publish(std::nullopt); }

    /// Renders `report`. Linear in its size.
    void update(report_view report) {
        live_.update(report);
        publish(std::nullopt);
    }

    /// Takes in the latest verdict of source `index` of the report that the last update had. Costs the writing of one source, and where
    /// that changes the document's size, or a reader is slow, a copy of the document.
    void update(report_view report, std::size_t index) {
        bool const in_place = live_.update(report, index);
        publish(in_place ? std::optional(index) : std::nullopt);
    }

    /// With any date.
    detail::shared_answer latest() const {
        std::lock_guard lock(mutex_);
        return latest_;
    }
    /// With the date of `now`.
    detail::shared_answer latest(std::time_t now) const {
        std::lock_guard lock(mutex_);
        healthz::detail::set_date(latest_, now);
        return latest_;
    }

private:
    static constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";

    // Makes an answer out of `live_`, from which the latest one differs in source `only`, if that is given.
    void publish(std::optional<std::size_t> only) {
        if (!spare_ || spare_->use_count() != 1) {
            spare_.reset(new detail::rendered_answer(ok_line, live_.text(), live_.all_ok()));
        } else if (only && outdated_) {
            patch(*outdated_);
            patch(*only);
            spare_->all_ok = live_.all_ok();
        } else {
            spare_->assign(ok_line, live_.text(), live_.all_ok());
        }
        outdated_ = only;
        std::lock_guard lock(mutex_);
        if (latest_ && latest_->second != spare_->second) spare_->set_date(latest_->second);
        latest_.swap(spare_);
    }

    // Copies one source into the answer that nobody else has.
    void patch(std::size_t index) {
        auto const changed = live_.text_of(index);
        auto const begin = static_cast<std::size_t>(changed.data() - live_.text().data());
        detail::copy_text(changed, spare_->bytes.data() + spare_->header_size + begin);
    }

    live_document live_;
    boost::intrusive_ptr<detail::rendered_answer> spare_;  // the answer before the latest, whose memory is written into next
    std::optional<std::size_t> outdated_;                  // the one source in which it differs from the latest; nothing if it may in all
    std::mutex mutable mutex_;                             // of the latest
    boost::intrusive_ptr<detail::rendered_answer> mutable latest_;  // the date aside, a read does not change it
};

}  // namespace healthz
