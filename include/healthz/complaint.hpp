// SPDX-License-Identifier: BSL-1.0
// How a mistake is told while compiling: by one sentence that begins with "healthz:", in the compiler's first lines.
//
// - A mistake in types, or in the constants of a declaration, is told by a `static_assert`, few templates away from the user's line,
//   since g++ lists those first. Where the compiler would not show the source's name besides, its condition is `holds_for` the name.
// - A mistake in values that are passed to a function is told by `reject`.
// Part of the core.
#pragma once

#include "text.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>

namespace healthz::detail {

// `source_name` is the name of a source as a type that the compiler shows as text: Clang 14 shows a fixed_string as numbers, but
// characters as such. HEALTHZ_REJECTS stands after the parameters of a function that calls `reject`: Clang would begin with the
// constant that is none, and tell the sentence lines later; with this attribute, which others do not have, it begins with the sentence.
#ifdef __clang__
template <char...>
struct letters;
template <fixed_string Name, std::size_t... Index>
letters<Name.chars[Index]...> spell(std::index_sequence<Index...>);
template <fixed_string Name>
using source_name = decltype(healthz::detail::spell<Name>(std::make_index_sequence<Name.view().size()>{}));
#define HEALTHZ_REJECTS(condition, sentence)                                              \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wgcc-compat\"") \
        __attribute__((diagnose_if(condition, sentence, "error"))) _Pragma("clang diagnostic pop")
#else
template <fixed_string Name>
struct source_name;
#define HEALTHZ_REJECTS(condition, sentence)
#endif

/// False: a condition of a `static_assert`, which compilers show with these names.
template <class... Names>
inline constexpr bool holds_for = false;

// Nowhere defined, so that a program which makes such a mistake while it runs does not link, unless its compiler sees that all is right.
void invalid_declaration(char const* sentence);

/// Makes what is being evaluated no constant, for the reason that `sentence` tells.
constexpr void reject(char const* sentence) {
    // A built-in function that is never evaluated while compiling: in its complaint g++ shows what its argument is.
    if (std::is_constant_evaluated()) __builtin_prefetch(sentence);
    else invalid_declaration(sentence);
}

}  // namespace healthz::detail
