// SPDX-License-Identifier: BSL-1.0
// Calls into OpenSSL on threads that nobody joins, which the end of the process waits for.
// Needs POSIX threads; not OpenSSL, which a driver may bring, or none.
#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace healthz::detail {

/// Somebody who uses OpenSSL, as long as this or a copy of it lives. OpenSSL takes itself apart while the process ends, whatever others are
/// at: so the end waits for them; no longer than half a second in which no other thread does anything, since one may wait for a server or for
/// a disk that hangs, and three seconds in all. Thread safe.
class openssl_user {
public:
    openssl_user() {
        if (!registered_.exchange(true)) {            // no local static: a child of a fork meanwhile would wait for it for ever
            initializer* in_program = &init_openssl;  // or in a library that it was linked with
            if (in_program == nullptr) in_program = reinterpret_cast<initializer*>(::dlsym(RTLD_DEFAULT, "OPENSSL_init_crypto"));
            wait_at_exit(in_program);
            ::pthread_atfork(nullptr, nullptr, [] { count_ = 0; });  // a child has no worker
        }
        ++count_;
        if (ends_) leave();
    }
    openssl_user(openssl_user const& other) : uses_(other.uses_) {
        if (uses_) ++count_;
    }
    openssl_user(openssl_user&& other) noexcept : uses_(std::exchange(other.uses_, false)) {}
    openssl_user& operator=(openssl_user other) noexcept {
        std::swap(uses_, other.uses_);
        return *this;
    }
    ~openssl_user() { leave(); }

    /// Why a check that needs it ends once the process does.
    static constexpr char const* refusal = "the process ends";

    /// False once the process ends: then OpenSSL must not be used any more.
    explicit operator bool() const { return uses_; }

    /// Uses it no more.
    void leave() {
        if (std::exchange(uses_, false)) --count_;
    }

    using initializer = int(std::uint64_t, void const*);

    /// Has the end of the process wait before the OpenSSL of this `OPENSSL_init_crypto` takes itself apart; null for none.
    static void wait_at_exit(initializer* init) {
        constexpr std::uint64_t load_crypto_strings = 2;
        // This registers what takes it apart, and what is registered later comes first. It reads no configuration, which may be on a disk that
        // hangs; without a flag it would register nothing.
        if (init != nullptr) init(load_crypto_strings, nullptr);
        static_cast<void>(std::atexit(&wait_for_all));
    }

    /// Deletes an object whose destructor uses OpenSSL; one that is left once the process ends is kept.
    struct deleter {
        template <class T>
        void operator()(T* object) const {
            if (openssl_user const user; user) delete object;
            else keep(object);
        }
    };

private:
    // Counts pauses, and no time: where the machine stands still, so do those that are waited for.
    static void wait_for_all() {
        ends_ = true;
        static int idle = 0, all = 0;  // the same, however often it is registered
        auto before = work_of_others();
        for (; count_ > 0 && idle < 500 && all < 3000; ++all, ++idle) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            auto const now = work_of_others();
            if (now - before < std::chrono::milliseconds(1)) continue;
            before = now;
            idle = 0;
        }
    }

    // The processor's time of all other threads, give or take some microseconds.
    static std::chrono::nanoseconds work_of_others() {
        auto const read = [](clockid_t clock) {
            timespec time{};
            ::clock_gettime(clock, &time);
            return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
        };
        auto const own = read(CLOCK_THREAD_CPUTIME_ID);
        return read(CLOCK_PROCESS_CPUTIME_ID) - own;
    }

    // Where those who look for leaks find it.
    static void keep(void* object) noexcept {
        try {
            static auto& mutex = *new std::mutex;
            static auto& all = *new std::vector<void*>;
            std::lock_guard const lock(mutex);
            all.push_back(object);
        } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch): then it is kept where nobody finds it
        }
    }

    [[gnu::weak]] static int init_openssl(std::uint64_t, void const*) __asm__("OPENSSL_init_crypto");

    inline static std::atomic<int> count_ = 0;
    inline static std::atomic<bool> ends_ = false;
    inline static std::atomic<bool> registered_ = false;
    bool uses_ = true;
};

}  // namespace healthz::detail
