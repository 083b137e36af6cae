// SPDX-License-Identifier: BSL-1.0
// What the tests of runners and probers share: a runner with a record of its verdicts, Catch2, and calls that block.
#pragma once

#include "../catch.hpp"
#include "../conformance/live.hpp"

#include <condition_variable>

namespace test {

/// Matches a string that has `text` in it; the two versions of Catch2 differ in its name.
inline auto contains(std::string const& text) {
#if __has_include(<catch2/catch_all.hpp>)
    return Catch::Matchers::ContainsSubstring(text);
#else
    return Catch::Matchers::Contains(text);
#endif
}

/// What a blocked call waits for.
class latch {
public:
    void wait() {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [this] { return open_; });
    }
    void set(bool open) {
        std::lock_guard lock(mutex_);
        open_ = open;
        opened_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = true;
};

}  // namespace test
