// SPDX-License-Identifier: BSL-1.0
// A view as it was written last, for whoever asks until something changes, and while the next is written.
// Needs Boost.SmartPtr and threads.
#pragma once

#include "shared_document.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstdint>
#include <ctime>
#include <mutex>
#include <optional>

namespace healthz::detail {

/// Keeps the latest answer of one view. Any thread may ask for it, and waits at most for another that does the same; one thread at a time
/// may write.
class kept_view {
public:
    /// How long an answer is given that is no longer the latest, where another thread writes, in milliseconds.
    static constexpr std::int64_t most_outdated = 100;

    /// The answer, if it is of `generation`, at `now`. With the date of `time`, or with any.
    shared_answer current(std::uint64_t generation, std::int64_t now, std::optional<std::time_t> time) {
        std::lock_guard lock(mutex_);
        if (!whole_ || generation_ != generation) return nullptr;
        current_at_ = now;
        return dated(time);
    }

    /// The answer, if it was current a moment ago.
    shared_answer recent(std::int64_t now, std::optional<std::time_t> time) {
        std::lock_guard lock(mutex_);
        if (!whole_ || now - current_at_ > most_outdated) return nullptr;
        return dated(time);
    }

    /// Writes the answer of `generation` by `write(answer)`, beside the latest, which is given meanwhile.
    template <class F>
    shared_answer replace(std::uint64_t generation, std::int64_t now, std::optional<std::time_t> time, F write) {
        if (!spare_ || spare_->use_count() != 1) spare_.reset(new rendered_answer);
        if (time) spare_->second = *time;
        write(*spare_);
        std::lock_guard lock(mutex_);
        whole_.swap(spare_);
        generation_ = generation;
        current_at_ = now;
        return whole_;
    }

    /// From now on the answer before is not given any more.
    void forget() {
        std::lock_guard lock(mutex_);
        whole_.reset();
    }

private:
    shared_answer dated(std::optional<std::time_t> time) {
        if (time) healthz::detail::set_date(whole_, *time);
        return whole_;
    }

    std::mutex mutex_;  // of the next three
    boost::intrusive_ptr<rendered_answer> whole_;
    std::uint64_t generation_ = 0;
    std::int64_t current_at_ = 0;
    boost::intrusive_ptr<rendered_answer> spare_;  // the answer before, whose memory is written into next
};

/// Takes a lock that is mostly held for less than a microsecond: waits that long, and not until one who holds it longer is done.
inline std::unique_lock<std::mutex> lock_soon(std::mutex& mutex) {
    std::unique_lock lock(mutex, std::try_to_lock);
    for (int i = 0; i < 50 && !lock; ++i) lock.try_lock();
    return lock;
}

}  // namespace healthz::detail
