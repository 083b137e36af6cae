// SPDX-License-Identifier: BSL-1.0
// Locks and `fork`.
// Needs POSIX threads.
#pragma once

#include <pthread.h>

#include <mutex>

namespace healthz {

/// Holds the mutex that `mutex()` returns over each fork from now on, lest a child find it taken by a thread that it does not have.
/// `mutex` must not wait for one that another thread may hold.
template <std::mutex& (*mutex)()>
void hold_over_fork() {
    ::pthread_atfork([] { mutex().lock(); }, [] { mutex().unlock(); }, [] { mutex().unlock(); });
}

}  // namespace healthz
