// SPDX-License-Identifier: BSL-1.0
// What our own server sends: the bytes of a whole response, and what they are.
// Needs Boost.SmartPtr.
#pragma once

#include "../endpoint.hpp"
#include "shared_document.hpp"

namespace healthz::detail {

/// An answer for our own server.
struct served_answer {
    answer how;  ///< `document` or `strict_document` where it is no error
    shared_answer whole;
    bool unavailable = false;  ///< the status is 503, and not that of `whole`
};

}  // namespace healthz::detail
