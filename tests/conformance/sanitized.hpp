// SPDX-License-Identifier: BSL-1.0
// Whether this program is compiled with a sanitizer that makes it slow.
#pragma once

#if defined(__has_feature)
#define HEALTHZ_TEST_HAS_FEATURE(x) __has_feature(x)
#else
#define HEALTHZ_TEST_HAS_FEATURE(x) 0
#endif

namespace test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HEALTHZ_TEST_HAS_FEATURE(address_sanitizer) || \
    HEALTHZ_TEST_HAS_FEATURE(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// Whether a program may have operators new of its own: clang's thread sanitizer has them already.
inline constexpr bool may_replace_new = !HEALTHZ_TEST_HAS_FEATURE(thread_sanitizer);

}  // namespace test
