// SPDX-License-Identifier: BSL-1.0
// The system's clock, set by as many seconds as stand in the file that SOAK_CLOCK names, for a program that preloads this. The steady clock is left alone. A
// namespace has no such clock of its own, and that of the machine belongs to others.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

std::int64_t offset() {
    static volatile std::int64_t const* const shared = []() -> std::int64_t const* {
        char const* const path = std::getenv("SOAK_CLOCK");
        int const file = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file < 0) std::abort();
        void* const at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
        ::close(file);
        if (at == MAP_FAILED) std::abort();
        return static_cast<std::int64_t const*>(at);
    }();
    return *shared;
}

}  // namespace

extern "C" int clock_gettime(clockid_t which, timespec* now) noexcept {
    using function = int (*)(clockid_t, timespec*);
    static auto const real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "clock_gettime"));
    int const result = real(which, now);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return result;
}
extern "C" time_t time(time_t* to) noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (to != nullptr) *to = now.tv_sec;
    return now.tv_sec;
}
extern "C" int gettimeofday(timeval* now, void*) noexcept {
    timespec precise{};
    ::clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
