// SPDX-License-Identifier: BSL-1.0
// A request of a site, from what an HTTP server of any kind hands out.
// Needs the core and the standard library only.
#pragma once

#include "../credentials.hpp"
#include "../endpoint.hpp"
#include "../host.hpp"
#include "../text.hpp"

#include <concepts>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz {

/// What a `healthz::site` looks at in a request. Views: it owns nothing, and is valid as long as the server's own request.
///
///     site.answer_to(healthz::http_request(q.method, q.target).with(q.headers))
///
/// Hand over all header fields that there are, so that one which is there twice is noticed. Names are compared without regard to case, and
/// blanks around values are dropped.
class http_request : public site_request {
public:
    /// `target` is that of the request line, not decoded: a path with or without a query, or a whole address.
    constexpr http_request(std::string_view of_line, std::string_view target)
        : site_request{of_line, healthz::path_of(target), healthz::detail::text_after(target, '?')} {}

    /// For a server that hands out path and query apart, the latter without its question mark.
    constexpr http_request(std::string_view of_line, std::string_view its_path, std::string_view its_query)
        : site_request{of_line, healthz::path_of(its_path), its_query} {}

    /// A temporary does not compile: it would be gone when the site looks at it.
    template <class... Texts>
        requires((... || std::same_as<std::remove_const_t<Texts>, std::string>)&&(sizeof...(Texts) == 2 || sizeof...(Texts) == 3))
    http_request(Texts&&...) : site_request{} {
        static_assert(sizeof...(Texts) == 0,
                      "healthz: this text of a request is a temporary, which is gone when a site looks at it: keep it in a variable");
    }

    /// Takes in a header field. Of several fields `Accept` the last counts.
    constexpr void add(std::string_view name, std::string_view value) {
        using healthz::detail::same_word;
        auto const decides = [&](std::optional<std::string_view>& slot) {
            if (slot) repeated = true;
            slot = without_blanks(value);
        };
        switch (name.size()) {  // most fields are none of these, and that is clear at once
            case 6:
                if (same_word(name, "Accept")) accept = value;
                return;
            case 13:
                if (same_word(name, "Authorization")) decides(authorization);
                else if (same_word(name, "X-Hasura-Role")) decides(role);
                return;
            case 19:
                if (same_word(name, "X-Hasura-Access-Key")) decides(access_key);
                return;
            case 21:
                if (same_word(name, "X-Hasura-Admin-Secret")) decides(admin_secret);
                return;
            default: return;
        }
    }

    template <class Value>
        requires std::same_as<Value, std::string>
    void add(std::string_view name, Value&& value) = delete;

    /// Takes in all of `fields`, a range of pairs of a name and a value. A temporary one that owns its texts does not compile.
    template <class Fields>
    constexpr http_request with(Fields&& fields) const {
        using field = decltype([&]() -> decltype(auto) {
            using std::begin;
            return *begin(fields);
        }());
        if constexpr (requires(field each) { each.second; }) {
            constexpr bool owned = std::same_as<std::remove_cvref_t<decltype(std::declval<field>().second)>, std::string>;
            static_assert(!owned || std::is_reference_v<field>,
                          "healthz: these fields are copies, which are gone at once: keep them in a variable, and add each from there");
            static_assert(
                !owned || !std::is_reference_v<field> || std::is_lvalue_reference_v<Fields> || std::ranges::borrowed_range<Fields>,
                "healthz: these fields are a temporary, which is gone when a site looks at it: keep it in a variable");
        }
        auto whole = *this;
        for (auto const& [name, value] : fields) whole.add(name, value);
        return whole;
    }

private:
    static constexpr std::string_view without_blanks(std::string_view value) {
        auto const is_blank = [](char c) { return c == ' ' || c == '\t'; };
        while (!value.empty() && is_blank(value.front())) value = healthz::detail::text_from(value, 1);
        while (!value.empty() && is_blank(value.back())) value = healthz::detail::text_until(value, value.size() - 1);
        return value;
    }
};

}  // namespace healthz
