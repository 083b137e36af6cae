// SPDX-License-Identifier: BSL-1.0
// A device's site and a server's say the same of the same sources, whoever asks for what.
#include "../catch.hpp"

#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/hosted/site.hpp>

#include <algorithm>
#include <string>
#include <vector>

using healthz::site_request;
using namespace std::chrono_literals;

namespace {

struct sensor {
    static constexpr std::string_view kind = "i2c";
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};
// On a site of a server time goes by: nothing becomes stale in it while thousands of requests are compared.
constexpr healthz::health_check rarely{.interval = 1h, .timeout = 20ms, .retries = 0};
constexpr auto sources = healthz::sources(healthz::source<"imu">(sensor{}, rarely), healthz::source<"a\"b\\é">(healthz::bound<>{}, rarely),
                                          healthz::source<"slot">(healthz::bound<>{}, rarely));
constexpr healthz::secret_digests<1> secret{{healthz::sha256("Vq8zKw3x")}};
using on_device = healthz::direct_site<sources, healthz::default_views, secret>;

/// The lines in front of the body, in the order of the alphabet, but for the length, which is behind them.
struct parts {
    std::string status;
    std::vector<std::string> fields;
    std::string body;
    bool operator==(parts const&) const = default;
};

parts parts_of(std::string text) {
    parts found;
    for (bool first = true;; first = false) {
        auto const end = text.find("\r\n");
        auto const line = text.substr(0, end);
        text.erase(0, end + 2);
        if (line.empty()) break;
        if (first) found.status = line;
        else found.fields.push_back(line);
    }
    std::sort(found.fields.begin(), found.fields.end());
    found.body = text;
    return found;
}

parts parts_of(healthz::site_answer const& a) {
    parts found{"HTTP/1.1 " + std::to_string(a.status) + " " + std::string(a.reason), {}, std::string(a.payload())};
    found.fields = {"Content-Type: " + std::string(a.type), "Content-Length: " + std::to_string(a.body.size())};
    a.for_each_field([&](std::string_view name, std::string_view value) {
        if (name.data()[name.size()] != '\0' || value.data()[value.size()] != '\0')
            FAIL_CHECK(name << " is no text as servers in C take it");
        found.fields.push_back(std::string(name) + ": " + std::string(value));
    });
    std::sort(found.fields.begin(), found.fields.end());
    return found;
}

}  // namespace

TEST_CASE("direct site: it says what the site of a server says") {
    healthz::monitor<sources, healthz::recorded> monitor;
    healthz::site<sources> on_server(secret);
    auto const compare = [&] {
        std::size_t compared = 0;
        for (std::string_view const path :
             {"/healthz/sources", "/healthz/sources/imu", "/healthz/sources/a%22b%5C%C3%A9", "/healthz/sources/none", "/healthz/page",
              "/metrics", "/healthz", "/livez", "/readyz", "/startupz", "/", "/healthz/sources/"})
            for (std::string_view const query :
                 {"", "strict=true", "verbose", "verbose&strict=true", "exclude=imu", "verbose&exclude=slot"})
                for (std::string_view const method : {"GET", "HEAD", "POST", "get"})
                    for (std::string_view const accept : {"", "text/html,*/*;q=0.8", "text/plain", "application/openmetrics-text"})
                        for (std::string_view const authorization :
                             {"", "Bearer Vq8zKw3x", "Basic bWU6VnE4ekt3M3g=", "Bearer wrong", "Basic !"})
                            for (std::string_view const role : {"", "user"}) {
                                site_request request{.method = method, .path = path, .query = query};
                                if (!accept.empty()) request.accept = accept;
                                if (!authorization.empty()) request.authorization = authorization;
                                if (!role.empty()) request.role = role;
                                std::string text;
                                on_device::write_response(on_device::answer_to(request, monitor), monitor,
                                                          [&text](std::string_view piece) { text += piece; });
                                auto const expected = parts_of(on_server.answer_to(request));
                                ++compared;
                                if (parts_of(text) == expected) continue;
                                CAPTURE(path, query, method, accept, authorization, role);
                                CHECK(parts_of(text).status == expected.status);
                                CHECK(parts_of(text).fields == expected.fields);
                                CHECK(parts_of(text).body == expected.body);
                                return;
                            }
        CHECK(compared == 12 * 6 * 4 * 4 * 5 * 2);
    };
    compare();
    for (int i = 1; i < 5; ++i) {
        auto const now = static_cast<healthz::tick>(i * 3600000);
        monitor.poll(now, healthz::utc_time(1660037520s + std::chrono::hours(i)));
        monitor.report<"a\"b\\é">(i == 3 ? healthz::ok() : healthz::error("no <b>route</b>", "to \"it\""), now + 500,
                                  healthz::utc_time(1660037521s));
        for (std::size_t index = 0; index < healthz::size_of<sources>; ++index) {
            if (!monitor.report()[index]) continue;
            auto const verdict = *monitor.report()[index];
            on_server.update({.report = monitor.report().view(),
                              .index = index,
                              .verdict = verdict,
                              .before = verdict.status,
                              .after = verdict.status,
                              .is_verdict = true,
                              .attempts = 1,
                              .took = 0us,
                              .record = monitor.record(index)});
        }
        compare();
    }
    CHECK(monitor.report().is(0, healthz::status::ok));
}
