// SPDX-License-Identifier: BSL-1.0
// What was thrown, as a sentence.
// Needs exceptions and the standard library only.
#pragma once

#include <exception>
#include <string>

namespace healthz::detail {

/// `where` threw something: `on_verdict threw: no disk`. The sentence may go to another thread; what was thrown is better off on its own,
/// since a coroutine may hold it a moment longer.
inline std::string sentence_of(char const* where, std::exception_ptr const& thrown) {
    std::string const subject = where;
    try {
        std::rethrow_exception(thrown);
    } catch (std::exception const& e) {
        return subject + " threw: " + e.what();
    } catch (...) {
        return subject + " threw what is no std::exception";
    }
}

}  // namespace healthz::detail
