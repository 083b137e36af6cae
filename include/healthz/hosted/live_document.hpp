// SPDX-License-Identifier: BSL-1.0
// The document as text that is always ready: a verdict patches its own source, and a read is a copy.
// Needs the core and the standard library only.
#pragma once

#include "../outcome.hpp"
#include "../text.hpp"
#include "../verdict.hpp"
#include "../write_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthz {

/// The document of one report, kept written. Not thread safe.
class live_document {
public:
    /// Writes all of `report`. Linear in its size.
    void update(report_view report) {
        text_.clear();
        starts_.assign(1, 0);
        ok_.assign(report.size(), false);
        ok_count_ = 0;
        for (std::size_t i = 0; i < report.size(); ++i) {
            append(report, i, text_);
            starts_.push_back(static_cast<std::uint32_t>(text_.size()));
            count_ok(report, i);
        }
        text_ += starts_.back() == 0 ? detail::empty_document : detail::after_last;
        text_.front() = detail::before_first.front();
    }

    /// Takes in the latest verdict of source `index` of the report that the last update had, or that it has none any more. Costs the
    /// writing of one source, and moves the text after it if its length has changed. Returns true if it has its old length: then only
    /// `text_of(index)` has changed.
    bool update(report_view report, std::size_t index) {
        bool const is_empty = starts_.back() == 0;
        if (is_empty || starts_.size() != report.size() + 1) {
            update(report);
            return false;
        }
        patch_.clear();
        append(report, index, patch_);
        auto const begin = starts_[index], size = starts_[index + 1] - begin;
        if (patch_.size() == 0 && size == starts_.back()) {  // it was the only one
            update(report);
            return false;
        }
        bool const in_place = patch_.size() == size;
        text_.front() = detail::before_next.front();  // until it is known which source comes first
        if (in_place) {
            detail::copy_text(patch_, text_.data() + begin);
        } else {
            text_.replace(begin, size, patch_);
            auto const growth = static_cast<std::uint32_t>(patch_.size()) - size;  // modulo 2^32 where it shrinks
            for (auto i = index + 1; i < starts_.size(); ++i) starts_[i] += growth;
        }
        text_.front() = detail::before_first.front();
        count_ok(report, index);
        return in_place;
    }

    /// The document, until the next update.
    std::string_view text() const { return text_; }

    /// The part of `text()` that is about source `index`; empty before its first verdict.
    std::string_view text_of(std::size_t index) const {
        return detail::text_until(detail::text_from(text_, starts_[index]), starts_[index + 1] - starts_[index]);
    }

    /// Whether every source that is not off has been checked and is OK.
    bool all_ok() const { return !ok_.empty() && ok_count_ == ok_.size(); }

private:
    // Begins with a comma, whichever source comes first: that one's is then made a brace.
    static void append(report_view report, std::size_t index, std::string& out) {
        auto const v = report[index];
        if (!v) return;
        auto const put = [&out](std::string_view piece) { out += piece; };
        put(detail::before_next);
        put(report.key(index));
        put(detail::after_key);
        healthz::write_verdict(*v, put);
    }

    void count_ok(report_view report, std::size_t index) {
        bool const now = report.is(index, status::ok) || report.is_off(index);
        ok_count_ += static_cast<std::size_t>(now) - static_cast<std::size_t>(ok_[index]);
        ok_[index] = now;
    }

    std::string text_ = std::string(detail::empty_document);
    std::vector<std::uint32_t> starts_ = {0};  // where each source begins, and where the last one ends
    std::vector<bool> ok_;
    std::size_t ok_count_ = 0;
    std::string patch_;
};

}  // namespace healthz
