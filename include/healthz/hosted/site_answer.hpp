// SPDX-License-Identifier: BSL-1.0
// What a site answers, for a server of any kind to send.
// Needs Boost.SmartPtr.
#pragma once

#include "../endpoint.hpp"
#include "../views/table.hpp"
#include "shared_document.hpp"

#include <array>
#include <string_view>

namespace healthz {

/// An answer of a site. It owns what it points to.
struct site_answer {
    using field = detail::view_field;

    unsigned status = 0;  ///< of the status line
    std::string_view reason;
    char const* type = "";        ///< the field Content-Type; ends in a zero byte, where a view of yours names its types by literals
    std::string_view body;        ///< also for HEAD, whose Content-Length is its size
    std::array<field, 6> fields;  ///< further header fields; those without a name are none

    detail::shared_answer owner;  ///< of the body
    bool has_body = true;         ///< false for HEAD

    /// What is to be sent as the body: nothing for HEAD. For a server that leaves it out itself, take `body`.
    std::string_view payload() const { return has_body ? body : std::string_view(); }

    /// Calls `f(name, value)` for each header field but Content-Type, Content-Length and Date. Both are string_views, which end in a zero
    /// byte where a view of yours names its fields by literals.
    template <class F>
    void for_each_field(F f) const {
        for (auto const& [name, value] : fields)
            if (!name.empty()) f(name, value);
    }
};

}  // namespace healthz
