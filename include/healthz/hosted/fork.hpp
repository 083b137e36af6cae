// SPDX-License-Identifier: BSL-1.0
// Locks and `fork`.
// Needs POSIX threads.
#pragma once

#include <pthread.h>

#include <mutex>

namespace healthz::detail {

/// From now on the mutex that `mutex()` returns is locked during each fork, so that a child does not find it locked by a thread
/// that it does not have. `mutex` must not wait for a mutex that another thread may hold.
template <std::mutex& (*mutex)()>
void hold_over_fork() {
    ::pthread_atfork([] { mutex().lock(); }, [] { mutex().unlock(); }, [] { mutex().unlock(); });
}

}  // namespace healthz::detail
