// SPDX-License-Identifier: BSL-1.0
// A site with a secret, whose sources have names and texts that no one else's answer has; and what must hold of each answer.
#pragma once

#include "fuzz.hpp"

#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

#include <boost/json/parse.hpp>

namespace watched {

using namespace std::chrono_literals;

inline constexpr std::string_view secret = "Vq8zKw3x";
inline constexpr std::string_view secret_in_base64 = "VnE4ektpM3g";  // no text is hidden in a longer one: see `check`
inline constexpr auto found = [] { return healthz::ok(); };
inline constexpr auto sources = healthz::sources(healthz::source<"Zorders">(found, {.interval = 1s}),
                                                 healthz::source<"Z\"<&'>\\\n\x01 \xC3\xA9">(found, {.interval = 1s}),
                                                 healthz::source<"Zlate">(found, {.interval = 1s}));

using site_type = healthz::site<sources>;

/// Puts a verdict into `site`.
inline void tell(site_type& site, healthz::report<sources>& report, healthz::record const& record, std::size_t index,
                 healthz::status status, std::string_view error, healthz::timestamp at) {
    auto const before = report.view().status_of(index);
    report.publish(index, status, error, at);
    site.update({report.view(), index, *report.view()[index], before, status, true, 1, 5ms, record});
}

/// With two verdicts, of which one has a text.
inline site_type const& site() {
    static auto const& made = *[] {
        auto* const site = new site_type(healthz::secret_digests<1>{{healthz::sha256(secret)}});
        site->start();
        static healthz::report<sources> report;
        auto const failed = healthz::outcome::error("Ztext <b>", "Zextra & more");
        tell(*site, report, {}, 0, healthz::status::ok, "null", {});
        tell(*site, report, {}, 1, failed.status(), failed.json(), {});
        return site;
    }();
    return made;
}

/// What must hold of any answer. Only who has the secret sees a 'Z'.
inline void check(healthz::site_answer const& answer, bool may_have_secret) {
    auto const status = answer.status;
    fuzz::require(status == 200 || status == 400 || status == 401 || status == 404 || status == 405 || status == 503,
                  "a status of the site");
    fuzz::require(may_have_secret || answer.body.find('Z') == answer.body.npos, "no name and no text is shown without the secret");
    std::string_view const type = answer.type;
    fuzz::require(healthz::detail::is_utf8(answer.body), "a body is UTF-8");
    if (type.starts_with("application/json")) {
        boost::system::error_code ec;
        boost::json::parse(boost::json::string_view(answer.body.data(), answer.body.size()), ec);
        fuzz::require(!ec, "a body of JSON is JSON");
    }
}

}  // namespace watched
