// SPDX-License-Identifier: BSL-1.0
// The views of a site over HTTP, as other tools ask for them.
#include "../environment.hpp"
#include "client.hpp"
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/beast/server.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

using healthz::status;

namespace {

std::atomic<int> orders_are = 0;

struct orders_prober {
    static constexpr char const* kind = "orders";
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        if (orders_are == 1) return healthz::error("connection error", "to <b>host</b> Vq8z");
        if (orders_are == 2) return healthz::timeout();
        return healthz::ok();
    }
};
constexpr auto always = [] { return healthz::ok(); };

struct steady_prober {
    static constexpr bool blocking = false;
    healthz::outcome probe() const { return healthz::ok(); }
};

constexpr healthz::health_check often{.interval = 50ms, .timeout = 2s, .retries = 0};  // time for a busy machine
constexpr auto shown =
    healthz::sources(healthz::source<"orders">(orders_prober{}, often), healthz::source<"a\"b\\é">(steady_prober{}, often));

/// A view of a user's own: how many sources there are, for all to see.
struct count_view {
    std::string_view path = "/count";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/csv")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 20;
    template <std::invocable<std::string_view> Sink>
    constexpr void write(healthz::open_data const& data, healthz::view_request const&, Sink&& put) const {
        put(data.size() == 2 ? "2" : "other");
    }
};
constexpr auto own_views =
    healthz::views(healthz::document{"/internal/health"}, healthz::metrics{}, count_view{}, healthz::ready<"orders">{"/up"});

template <auto const& Views = healthz::default_views>
class site_server {
public:
    explicit site_server(healthz::beast::options how) : server_(std::move(how)), thread_([this] { server_.run(); }) {
        if (!eventually([this] { return server_.local_endpoint().port() != 0; })) throw std::runtime_error("it does not listen");
        port = server_.local_endpoint().port();
    }
    ~site_server() {
        server_.stop();
        join();
    }
    void join() {
        if (thread_.joinable()) thread_.join();
    }

    http_answer get(std::string_view target, std::string_view fields = "") const {
        return client(port).ask(request("GET", target, fields));
    }
    std::string brief(std::string_view target, std::string_view fields = "") const {
        auto const a = get(target, fields);
        return std::to_string(a.status) + " " + a.body;
    }
    bool becomes(std::string_view target, std::string const& wanted, std::string_view fields = "") const {
        return eventually([&] { return brief(target, fields) == wanted; });
    }
    healthz::site<shown, Views> const& site() const { return server_.site(); }
    healthz::runner<shown>& runner() { return server_.runner(); }

    std::uint16_t port = 0;

private:
    healthz::beast::server<shown, Views> mutable server_;
    std::thread thread_;
};

healthz::beast::options with_secret() {
    orders_are = 0;
    test::set_variable("SITE_SECRET", "Vq8zKw3x");
    return {.port = 0, .auth = healthz::admin_secret(healthz::env("SITE_SECRET"))};
}
constexpr std::string_view secret = "X-Hasura-Admin-Secret: Vq8zKw3x\r\n", bearer = "Authorization: Bearer Vq8zKw3x\r\n",
                           basic = "Authorization: Basic bWU6VnE4ekt3M3g=\r\n", html = "Accept: text/html,*/*;q=0.8\r\n";

std::string operator+(std::string_view a, std::string_view b) { return std::string(a).append(b); }

}  // namespace

TEST_CASE("site: each view has its path, its type and its access") {
    site_server<> const s(with_secret());
    CHECK(s.becomes("/readyz", "200 ok"));
    struct {
        char const* path;
        char const* type;
        bool is_open;
    } const views[] = {
        {"/healthz/sources", "application/json", false},       {"/healthz/sources/orders", "application/json", false},
        {"/healthz/page", "text/plain; charset=utf-8", false}, {"/metrics", "text/plain; version=0.0.4; charset=utf-8", false},
        {"/healthz", "text/plain; charset=utf-8", true},       {"/livez", "text/plain; charset=utf-8", true},
        {"/readyz", "text/plain; charset=utf-8", true},        {"/startupz", "text/plain; charset=utf-8", true}};
    for (auto const& [path, type, is_open] : views) {
        CAPTURE(path);
        CHECK(s.get(path).status == (is_open ? 200 : 401));
        for (auto const field : {secret, bearer, basic}) {
            auto const a = s.get(path, field);
            CHECK(a.status == 200);
            CHECK(a.field("Content-Type") == type);
            CHECK(a.field("Cache-Control") == "no-store");
            CHECK(a.field("X-Content-Type-Options") == "nosniff");
            client c(s.port);
            auto const head = c.ask(request("HEAD", path, field), true);
            CHECK(head.status == 200);
            CHECK((head.field("Content-Length") == a.field("Content-Length") || std::string_view(path) == "/metrics" ||
                   std::string_view(path) == "/healthz/page"));
            auto const post = s.get(path, field);
            CHECK(client(s.port).ask(request("POST", path, field)).field("Allow") == "GET, HEAD");
            CHECK(client(s.port).ask(request("DELETE", path, field)).status == 405);
        }
        CHECK(s.get(path, "X-Hasura-Admin-Secret: wrong\r\n").status == 401);
        CHECK(s.get(path, secret + "X-Hasura-Role: user\r\n").status == (is_open ? 200 : 400));
        CHECK(s.get(path, secret + "Authorization: Bearer other\r\n").status == 401);
        CHECK(s.get(path, bearer + bearer).status == 400);
    }
    for (char const* const none :
         {"/", "/metrics/", "/livez/orders/x/", "/healthz/", "/healthz/sourcesx", "/Metrics", "/healthz/sources/none"})
        CHECK(s.get(none, secret).status == 404);
    CHECK(s.get("http://localhost/livez").status == 200);
}

TEST_CASE("site: the document is what it was, to the byte") {
    site_server<> const s(with_secret());
    CHECK(s.becomes("/readyz", "200 ok"));
    auto const a = s.get("/healthz/sources", secret);
    CHECK(a.body.starts_with(R"({"orders":{"error":null,"status":"OK","timestamp":")"));
    auto header = a.header;
    header.replace(header.find("Date: ") + 6, 29, "-");
    CHECK(header ==
          "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
          "Content-Length: " +
              std::to_string(a.body.size()) + "\r\n\r\n");
    orders_are = 1;
    CHECK(eventually([&] { return s.get("/healthz/sources?strict=true", secret).status == 503; }));
    CHECK(s.get("/healthz/sources/a%22b%5C%C3%A9?strict=true", secret).status == 200);
    CHECK(s.get("/healthz/sources/orders?strict=true&verbose=true", secret).status == 503);
    auto const verbose = s.get("/healthz/sources?verbose=true", secret).body;
    CHECK(verbose.find(R"("status":"ERROR","timestamp":")") != verbose.npos);
    CHECK(verbose.find(R"(,"changes":1,"maintenance":false,"stale":false})") != verbose.npos);
}

TEST_CASE("site: an open view tells names to who shows the secret only") {
    site_server<> const s(with_secret());
    orders_are = 1;
    // Not only not yet checked, which is 503 as well.
    CHECK(s.becomes("/readyz", "503 [-]orders failed: reason withheld\n[+]a\"b\\é ok\nreadyz check failed\n", secret));
    CHECK(s.brief("/readyz") == "503 readyz check failed\n");
    CHECK(s.brief("/readyz?verbose") == "503 readyz check failed\n");
    CHECK(s.brief("/readyz?exclude=orders") == "503 readyz check failed\n");
    for (auto const field : {secret, bearer, basic})
        CHECK(s.brief("/readyz", field) == "503 [-]orders failed: reason withheld\n[+]a\"b\\é ok\nreadyz check failed\n");
    CHECK(s.brief("/readyz?exclude=orders", secret) == "200 ok");
    CHECK(s.brief("/livez?verbose", secret) == "200 livez check passed\n");
    orders_are = 0;
    CHECK(s.becomes("/readyz", "200 ok"));
}

TEST_CASE("site: a browser is asked for a password, others as ever") {
    site_server<> const s(with_secret());
    for (char const* const path : {"/healthz/page", "/metrics", "/healthz/sources"}) {
        CHECK(s.get(path, html).field("WWW-Authenticate") == "Basic realm=\"healthz\", charset=\"UTF-8\"");
        CHECK(s.get(path, "Accept: */*\r\n").field("WWW-Authenticate") == "X-Hasura-Admin-Secret");
        CHECK(s.get(path, html).body == s.get(path).body);
    }
    CHECK(s.get("/healthz/page", html + "Authorization: Basic bWU6d3Jvbmc=\r\n").status == 401);
    auto const page = s.get("/healthz/page", html + basic);
    CHECK(page.field("Content-Type") == "text/html; charset=utf-8");
    CHECK(page.field("Content-Security-Policy").starts_with("default-src 'none'; style-src 'sha256-"));
    CHECK(page.field("Referrer-Policy") == "no-referrer");
    CHECK(page.body.find("Vq8z") == page.body.npos);
}

TEST_CASE("site: views of one's own, at paths and with policies of their own") {
    test::set_variable("SCRAPE_SECRET", "Scrape");
    auto how = with_secret();
    how.auth_of = {{"/metrics", healthz::admin_secret(healthz::env("SCRAPE_SECRET"))}};
    site_server<own_views> const s(std::move(how));
    CHECK(s.becomes("/up", "200 ok"));
    CHECK(s.brief("/count") == "200 2");
    CHECK(s.get("/metrics", "Authorization: Bearer Scrape\r\n").body.size() <= healthz::site<shown, own_views>::max_body_size);
    CHECK(s.get("/count").field("Content-Type") == "text/csv");
    CHECK(s.get("/internal/health", secret).status == 200);
    CHECK(s.get("/healthz/sources", secret).status == 404);
    CHECK(s.get("/metrics", secret).status == 401);
    CHECK(s.get("/metrics", "Authorization: Bearer Scrape\r\n").status == 200);
    CHECK(s.get("/internal/health", "Authorization: Bearer Scrape\r\n").status == 401);
}

TEST_CASE("site: it does not start with a policy for no view, or without its secret") {
    auto how = with_secret();
    how.auth_of = {{"/metricz", healthz::allow_unauthenticated{}}};
    CHECK(healthz::beast::serve<shown>(how) == EXIT_FAILURE);
    how.auth_of = {{"/metrics", healthz::admin_secret(healthz::env("NO_SUCH_SECRET"))}};
    CHECK(healthz::beast::serve<shown>(how) == EXIT_FAILURE);
}

TEST_CASE("site: handlers are told of verdicts and of changes") {
    struct {
        std::atomic<int> verdicts = 0, changes = 0, wrong = 0, old = 0;
    } told;
    auto how = with_secret();
    how.on_verdict = [&told](healthz::event const& e) {
        ++told.verdicts;
        if (!e.is_verdict || e.verdict.name != e.report.name(e.index) || e.after != e.verdict.status || e.record.count() == 0 ||
            e.attempts != 1 || e.took > 10s || e.report.status_of(e.index) != e.after || e.is_change() != (e.before != e.after))
            ++told.wrong;
    };
    how.on_change = [&told](healthz::report_view report, std::size_t index) {
        ++told.changes;
        if (!report.status_of(index)) ++told.wrong;
    };
    site_server<> const s(std::move(how));
    CHECK(eventually([&] { return told.verdicts > 6 && told.changes == 2; }));
    orders_are = 2;
    CHECK(eventually([&] { return told.changes == 3; }));
    auto const before = told.verdicts.load();
    CHECK(eventually([&] { return told.verdicts > before + 4; }));
    CHECK(told.changes == 3);
    CHECK(told.wrong == 0);
}

TEST_CASE("site: maintenance shows") {
    site_server<> s(with_secret());
    s.runner().maintenance<"orders">(true);
    CHECK(eventually([&] {
        return s.get("/metrics", bearer).body.find("healthz_source_maintenance{source_name=\"orders\"} 1\n") != std::string::npos;
    }));
    CHECK(eventually([&] { return s.get("/healthz/page", basic).body.starts_with("1 of 2 sources is in maintenance\n"); }));
    CHECK(s.get("/livez").status == 200);
    CHECK(s.get("/readyz").status == 503);
    s.runner().maintenance<"orders">(false);
    CHECK(s.becomes("/readyz", "200 ok"));
}

TEST_CASE("site: a loop that stands still shows to who asks on another thread") {
    auto how = with_secret();
    std::atomic<bool> blocks = false;
    how.on_verdict = [&blocks](healthz::event const&) {
        while (blocks) std::this_thread::sleep_for(1ms);
    };
    site_server<> const s(std::move(how));
    CHECK(s.becomes("/readyz", "200 ok"));
    CHECK(s.brief("/livez") == "200 ok");
    auto const begin = std::chrono::steady_clock::now();
    blocks = true;
    CHECK(s.becomes("/livez", "503 livez check failed\n"));
    auto const worst = healthz::worst_case_detection<shown>();
    CHECK(std::chrono::steady_clock::now() - begin < worst + 1s + (test::sanitized ? 5s : 2s));
    CHECK(s.brief("/healthz") == "503 ERROR");
    CHECK(s.becomes("/readyz", "503 readyz check failed\n"));
    CHECK(eventually([&] { return s.get("/healthz/page", basic).body.starts_with("2 of 2 sources are out of date\n"); }));
    CHECK(s.get("/metrics", bearer).body.find("healthz_source_stale{source_name=\"orders\"} 1\n") != std::string::npos);
    CHECK(s.get("/healthz/sources", secret).status == 200);
    blocks = false;
    CHECK(s.becomes("/livez", "200 ok"));
    CHECK(s.becomes("/readyz", "200 ok"));
}

TEST_CASE("site: a signal begins a drain, in which requests are answered, and a second one ends it") {
    auto const drained = [](bool is_hurried) {
        auto how = with_secret();
        how.drain = is_hurried ? 60s : 3s;
        site_server<> s(std::move(how));
        CHECK(s.becomes("/readyz", "200 ok"));
        client kept(s.port);
        CHECK(kept.ask(request("GET", "/readyz")).status == 200);
        auto const begin = std::chrono::steady_clock::now();
        std::raise(SIGTERM);
        CHECK(eventually([&] { return kept.ask(request("GET", "/readyz")).status == 503; }));
        CHECK(kept.ask(request("GET", "/livez")).status == 200);
        CHECK(s.get("/healthz/sources", secret).status == 200);  // new connections, too
        if (is_hurried) std::raise(SIGTERM);
        s.join();
        return std::chrono::steady_clock::now() - begin;
    };
    auto const patient = drained(false);
    CHECK(patient >= 3s);
    CHECK(drained(true) < patience);
}

TEST_CASE("site: on_drain is called at the first signal, once, while requests are answered and ready says no") {
    for (auto const drain : {0s, 60s}) {
        std::atomic<int> calls = 0;
        std::atomic<unsigned> ready = 0, port = 0;
        std::string told;
        auto how = with_secret();
        how.drain = drain;
        how.on_drain = [&] {
            ready = client(static_cast<std::uint16_t>(port)).ask(request("GET", "/readyz")).status;
            ++calls;
            throw std::runtime_error("no registry");
        };
        how.on_error = [&](std::string_view text) { told += text; };
        site_server<> s(std::move(how));
        port = s.port;
        CHECK(s.becomes("/readyz", "200 ok"));
        CHECK(calls == 0);
        std::raise(SIGTERM);
        CHECK(eventually([&] { return calls == 1; }));
        if (drain > 0s) {
            CHECK(s.get("/livez").status == 200);
            std::raise(SIGINT);
        }
        s.join();
        CHECK(calls == 1);
        CHECK(ready == 503);
        CHECK(told == "on_drain threw: no registry");
    }
    std::atomic<int> calls = 0;
    auto how = with_secret();
    how.drain = 60s;
    how.on_drain = [&] { ++calls; };
    { site_server<> const s(std::move(how)); }  // ends by stop()
    CHECK(calls == 0);
}

TEST_CASE("site: any thread of any server may ask") {
    site_server<> const s(with_secret());
    CHECK(s.becomes("/readyz", "200 ok"));
    std::atomic<int> wrong = 0;
    {
        std::vector<std::thread> others;  // libc++ 19 has no jthread
        for (int i = 0; i < 4; ++i)
            others.emplace_back([&] {
                for (int n = 0; n < 200; ++n) {
                    auto const is = [&](std::string_view path, std::string_view query, unsigned wanted, std::string_view body) {
                        auto const a = s.site()("GET", path, query, [](std::string_view name) {
                            return name == "authorization" ? std::optional<std::string>("Bearer Vq8zKw3x") : std::nullopt;
                        });
                        if (a.status != wanted || a.body.find(body) == a.body.npos || a.fields[0].first != "Cache-Control") ++wrong;
                    };
                    is("/metrics", "", 200, "healthz_build_info");
                    is("/healthz/page", "", 200, "sources");
                    is("/healthz/sources", "", 200, "\"orders\"");
                    is("/readyz", "verbose", 200, "[+]orders ok\n");
                    is("/nowhere", "", 404, "not-found");
                }
            });
        for (auto& other : others) other.join();
    }
    CHECK(wrong == 0);

    auto const nobody = [](std::string_view) { return std::optional<std::string>(); };
    healthz::site_answer const refused = s.site()("GET", "/metrics", "", nobody);
    CHECK(refused.status == 401);
    CHECK(refused.reason == "Unauthorized");
    CHECK(refused.type == std::string_view("application/json"));
    CHECK(refused.fields[2] == std::pair<std::string_view, std::string_view>("WWW-Authenticate", "X-Hasura-Admin-Secret"));
    CHECK(s.site()("POST", "/livez", "", nobody).fields[2] == std::pair<std::string_view, std::string_view>("Allow", "GET, HEAD"));
    CHECK(s.site()("GET", "/livez", "", nobody).reason == "OK");
    CHECK(s.site()("GET", "/healthz/page", "",
                   [](std::string_view name) {
                       return name == "accept"                ? std::optional<std::string_view>("text/html")
                              : name == "x-hasura-access-key" ? std::optional<std::string_view>("Vq8zKw3x")
                                                              : std::nullopt;
                   })
              .fields[2]
              .first == "Content-Security-Policy");
}

namespace {

template <std::size_t Index>
constexpr char numbered[] = {'o', 'r', 'd', 'e', 'r', 's', '-', '0' + Index / 10, '0' + Index % 10, '\0'};
constexpr auto declare_64 = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return healthz::sources(healthz::source<numbered<Index>>(always, {.interval = 10s})...);
};
constexpr auto sixty_four = declare_64(std::make_index_sequence<64>());

}  // namespace

TEST_CASE("site: the page of 64 sources, one in five not OK, is below 48 KiB") {
    auto const site = std::make_unique<healthz::site<sixty_four>>(healthz::allow_unauthenticated());
    healthz::report<sixty_four> report;
    std::array<healthz::record, 64> records{};
    healthz::timestamp const now(1660037525, 5000000);
    for (int round = 0; round < 40; ++round) {  // more than are remembered
        for (std::size_t i = 0; i < 64; ++i) {
            auto const found = i % 5 == 1
                                   ? healthz::error("connection error",
                                                    "connection to server at \"localhost\" (::1), port 6432 failed: Connection refused")
                               : (i + static_cast<std::size_t>(round)) % 7 == 0 && round < 39 ? healthz::timeout()
                                                                                              : healthz::ok();
            auto const before = report.status_of(i);
            report.publish(i, found.status(), found.json(), now);
            records[i].take_in(
                {.before = before, .after = found.status(), .found = found.status(), .attempts = 1, .took = 0, .is_verdict = true}, now,
                1500, false);
            site->update({report.view(), i, *report[i], before, found.status(), true, 1, 1500us, records[i]});
        }
    }
    auto const page =
        std::string(site->serve({.method = "GET", .path = "/healthz/page", .query = "", .accept = "text/html"}, 1).whole->body());
    std::size_t not_ok = 0;
    for (auto at = page.find("Connection refused"); at != page.npos; at = page.find("Connection refused", at + 1)) ++not_ok;
    CHECK(not_ok >= 13);
    for (std::size_t i = 0; i < 64; ++i) CHECK(page.find("orders-" + std::string(i < 10 ? "0" : "") + std::to_string(i)) != page.npos);
    CHECK(page.size() < 48 * 1024);
}

namespace {

constexpr auto repeat_control = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return healthz::fixed_string<sizeof...(Index) + 1>({(static_cast<void>(Index), '\1')..., '\0'});
};
constexpr auto control_name = repeat_control(std::make_index_sequence<300>());
constexpr auto oddly_named =
    healthz::sources(healthz::source<control_name>(always, {.interval = 1h}), healthz::source<"a">(always, {.interval = 1h}),
                     healthz::source<"b">(always, {.interval = 1h}), healthz::source<"c">(always, {.interval = 1h}),
                     healthz::source<"d">(always, {.interval = 1h}), healthz::source<"e">(always, {.interval = 1h}));
constexpr healthz::timestamp longest_ago(1, 0);

}  // namespace

TEST_CASE("site: no page is larger than it says, whatever the names are") {
    auto const site = std::make_unique<healthz::site<oddly_named>>(healthz::allow_unauthenticated());
    healthz::report<oddly_named> report;
    for (std::size_t i = 0; i < 6; ++i) {
        healthz::record known;
        auto const found = healthz::error(std::string(400, '&'), std::string(400, '\1'));
        report.publish(i, found.status(), found.json(), longest_ago);
        for (unsigned n = 0; n < 40; ++n) {
            auto const each = static_cast<status>(n % 4);
            known.take_in({.before = status::ok, .after = each, .found = each, .attempts = 65535, .took = 0, .is_verdict = true},
                          longest_ago, 4294967295u, false);
        }
        site->update({report.view(), i, *report[i], status::ok, found.status(), true, 1, 1500us, known});
    }
    for (char const* type : {"text/html", "text/plain"}) {
        auto const page = site->serve({.method = "GET", .path = "/healthz/page", .query = "", .accept = type}, 1);
        CHECK(page.whole->body().size() <= healthz::page::max_size<oddly_named>);
        CHECK(page.whole->body().size() > 2000);
    }
}

TEST_CASE("site: what is stale counts from where the checks begin") {
    healthz::beast::server<shown> server({.port = 0, .auth = healthz::allow_unauthenticated{}, .handle_signals = false});
    std::this_thread::sleep_for(healthz::worst_case_detection<shown>() + 1s);
    auto const ask = [&] {
        return server.site()("GET", "/livez", "", [](std::string_view) { return std::optional<std::string>(); }).status;
    };
    CHECK(ask() == 503);
    std::thread thread([&] { server.run(); });
    CHECK(eventually([&] { return ask() == 200; }));
    server.stop();
    thread.join();
}

TEST_CASE("site: a path of its own comes before the parts of another one") {
    static constexpr auto views = healthz::views(healthz::document{}, healthz::ready<>{"/healthz/sources/ready"});
    healthz::site<shown, views> const site(healthz::allow_unauthenticated{});
    CHECK(site.serve({.method = "GET", .path = "/healthz/sources/ready", .query = ""}, 1).whole->status == 503);
    auto const none = site("GET", "/healthz/sources/nothing", "", [](std::string_view) { return std::optional<std::string>(); });
    CHECK(none.status == 404);
}
