// SPDX-License-Identifier: BSL-1.0
// redis against a real server.
#include <healthz/probers/redis.hpp>
#include "redis_server.hpp"
#include "../environment.hpp"
#include "support.hpp"

#include <map>

using namespace test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using healthz::env;
using healthz::redis;
using healthz::status;

namespace {

redis_server& server() {
    static redis_server one;
    one.start();
    return one;
}

constexpr char const* variable = "CACHE_URL";
void set_url(std::string const& url) { test::set_variable(variable, url); }

constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr redis cache{.url = env(variable)};
constexpr auto calm = healthz::sources(healthz::source<"cache">(cache, calm_check));
constexpr auto brisk = healthz::sources(healthz::source<"cache">(cache, brisk_check));

std::string probe_url(std::string const& url, char const* key = nullptr) { return probe(redis{.url = url.c_str(), .key = key}); }

std::string probe_tls(std::string const& url, bool verify = true, bool as_client = false) {
    static auto const ca = server().file("ca.pem"), cert = server().file("client.pem"), key = server().file("client.key");
    redis settings{.url = url.c_str(), .tls = {.ca_file = ca.c_str(), .verify = verify}};
    if (as_client) settings.tls.cert_file = cert.c_str();
    if (as_client) settings.tls.key_file = key.c_str();
    return probe(settings);
}

bool no_connection_left() {
    return eventually([] { return server().connections() == 0; }, 10s);
}

std::string const wrong_password = "WRONGPASS invalid username-password pair or user is disabled.";

}  // namespace

TEST_CASE("redis: OK as a user, as the default user, by name and by address") {
    auto const port = server().port();
    auto const admin = std::string(":") + redis_server::admin_password + "@";
    CHECK(probe_url(server().url()) == "OK null");
    CHECK(probe_url(server().url("/")) == "OK null");
    CHECK(probe_url(server().url("/15")) == "OK null");
    CHECK(probe_url(server().url("", "localhost")) == "OK null");
    CHECK(probe_url(server().url("", "[::1]")) == "OK null");
    CHECK(probe_url("redis://" + admin + "127.0.0.1:" + port) == "OK null");
    CHECK(probe_url("REDIS://default" + admin + "127.0.0.1:" + port + "/0") == "OK null");

    server().call("ACL SETUSER anyone on nopass +ping");
    CHECK(probe_url("redis://anyone@127.0.0.1:" + port) == "OK null");
    CHECK(no_connection_left());
}

TEST_CASE("redis: a key exists in a database, or it does not") {
    server().call("-n 3 SET 'a key' 1");
    CHECK(probe_url(server().url("/3"), "a key") == "OK null");
    CHECK(probe_url(server().url(), "a key") == error("key does not exist", "a key"));
    CHECK(probe_url(server().url("/3"), "another\r\n\"") == error("key does not exist", R"(another\r\n\")"));
}

TEST_CASE("redis: each failure says what it is") {
    auto const at = "@127.0.0.1:" + server().port();
    CHECK(probe_url("redis://monitor:Vq8zKw3x@127.0.0.1:1") == error("connection error", "127.0.0.1:1: Connection refused"));
    CHECK_THAT(probe_url("redis://localhost:1"), Contains("127.0.0.1:1: Connection refused"));
    CHECK_THAT(probe_url("redis://no-such-host.invalid"), Contains(R"("message":"name not resolved","extra":"no-such-host.invalid: )"));
    CHECK(probe_url("redis://monitor:wrong-one" + at) == error("authentication failed", wrong_password));
    CHECK(probe_url("redis://nobody:wrong-one" + at) == error("authentication failed", wrong_password));
    CHECK(probe_url("redis://127.0.0.1:" + server().port()) == error("password required", "NOAUTH Authentication required."));
    CHECK(probe_url(server().url("/16")) == error("database not selected", "ERR DB index is out of range"));
    server().call("ACL SETUSER blind on '>Kd7tWq5n' -@all +exists");
    CHECK_THAT(probe_url("redis://blind:Kd7tWq5n" + at), Contains(R"("message":"permission denied","extra":"NOPERM )"));
    CHECK(no_connection_left());
}

TEST_CASE("redis: a server that is loading, or has lost its master, or is busy, says so") {
    for (int i = 0; i < 40; ++i) server().call("SET loaded" + std::to_string(i) + " " + std::string(3000, 'x'));
    server().call("SAVE");
    auto& restarted = server();
    restarted.stop();
    restarted.start("key-load-delay 200000\nloading-process-events-interval-bytes 1024\n");
    CHECK(probe_url(server().url()) == error("server is loading its data", "LOADING Redis is loading the dataset in memory"));
    server().call("CONFIG SET key-load-delay 0");
    CHECK(eventually([] { return probe_url(server().url(), "loaded39") == "OK null"; }));

    server().call("CONFIG SET replica-serve-stale-data no");
    server().call("REPLICAOF 127.0.0.1 1");
    CHECK_THAT(probe_url(server().url()), Contains(R"("message":"replica has lost its master","extra":"MASTERDOWN )"));
    server().call("REPLICAOF NO ONE");
    CHECK(probe_url(server().url()) == "OK null");

    server().call("CONFIG SET busy-reply-threshold 1");
    std::thread script([] { server().call("EVAL 'while true do end' 0"); });
    CHECK(eventually(
        [] { return probe_url(server().url()).find(R"("message":"server is busy with a script","extra":"BUSY )") != std::string::npos; }));
    while (server().call("SCRIPT KILL") != "OK\n") std::this_thread::sleep_for(10ms);
    script.join();

    server().call("CONFIG SET maxclients 1");
    {
        net::io_context context;
        redis::session first(cache), second(cache);
        set_url(server().url());
        CHECK(eventually([&] { return probe(context, first) == "OK null"; }));
        CHECK(probe(context, second) == error("authentication failed", "ERR max number of clients reached"));
    }
    eventually([] { return server().call("CONFIG SET maxclients 1000") == "OK\n"; });
}

TEST_CASE("redis: TLS, with the server's certificate verified unless told otherwise") {
    auto const address = server().tls_url("127.0.0.1");
    CHECK(probe_tls(server().tls_url()) == "OK null");
    CHECK(probe_tls(address) == "OK null");
    CHECK_THAT(probe_url(server().tls_url()), Contains(R"({"message":"TLS error","extra":)") && Contains("certificate"));

    struct {
        certificate shown;
        char const* complaint;
    } const bad[] = {
        {server().trusted().issue("DNS:elsewhere.example"), "is not for 'localhost'"},
        {server().trusted().issue("DNS:localhost", -1), "expired on"},
        {authority("another").issue("DNS:localhost"), "certificate"},
    };
    for (auto const& [shown, complaint] : bad) {
        server().use_certificate(shown);
        auto const found = probe_tls(server().tls_url());
        CHECK_THAT(found, Contains(R"(ERROR {"message":"TLS error","extra":)") && Contains(complaint));
        CHECK(probe_tls(server().tls_url(), false) == "OK null");
    }
    server().use_certificate(server().trusted().issue("IP:::ffff:127.0.0.1"));
    CHECK(probe_tls(server().tls_url("[::ffff:127.0.0.1%251]")) == "OK null");  // a certificate knows no zone
    server().use_certificate(server().trusted().issue());
    CHECK(probe_tls(server().tls_url()) == "OK null");

    server().call("CONFIG SET tls-auth-clients yes");
    CHECK_THAT(probe_tls(address), StartsWith("ERROR") && Contains("certificate required"));
    CHECK(probe_tls(address, true, true) == "OK null");
    server().call("CONFIG SET tls-auth-clients optional");

    // No TLS where there should be. (The other way round Redis waits for the end of a line: a TIMEOUT.)
    CHECK_THAT(probe_url("redis://127.0.0.1:" + server().tls_port()), StartsWith(R"(ERROR {"message":"connection error","extra":)"));
    CHECK(no_connection_left());
}

TEST_CASE("redis: files for TLS that cannot be used are FAILED") {
    auto const url = server().tls_url(), key = server().file("client.key");
    CHECK(probe(redis{.url = url.c_str(), .tls = {.ca_file = "/nowhere"}}) ==
          "FAILED \"the setting 'tls.ca_file' names no usable file: No such file or directory\"");
    CHECK(probe(redis{.url = url.c_str(), .tls = {.ca_file = env("NO_SUCH_VARIABLE")}}) ==
          R"(FAILED "environment variable 'NO_SUCH_VARIABLE' not set")");
    CHECK(probe(redis{.url = url.c_str(), .tls = {.key_file = key.c_str()}}) == R"(FAILED "the setting 'tls.cert_file' is not set")");
    CHECK_THAT(probe(redis{.url = url.c_str(), .tls = {.cert_file = key.c_str(), .key_file = key.c_str()}}),
               StartsWith(R"(FAILED "the setting 'tls.cert_file' names no usable file: )"));
}

TEST_CASE("redis: whoever does not answer is a TIMEOUT on time") {
    full_backlog const no_accept;
    odd_server const silent(odd_server::wait_for_end);
    odd_server const slow([](net::ip::tcp::socket& client) {
        while (true) {
            net::write(client, net::buffer("-", 1));
            std::this_thread::sleep_for(20ms);
        }
    });
    for (auto const& url : {"redis://127.0.0.1:" + no_accept.port(), "redis://127.0.0.1:" + silent.port(),
                            "rediss://127.0.0.1:" + silent.port(), "redis://127.0.0.1:" + slow.port()}) {
        set_url(url);
        live<brisk> monitor;
        auto const first = monitor.wait_for(1)[0];
        INFO(url);
        CHECK(first.status == status::timeout);
        CHECK(first.time - monitor.started() >= brisk_check.timeout - 2ms);
        CHECK(first.time - monitor.started() <= brisk_check.timeout + prompt());
        CHECK(monitor.stop() < 1000ms);
    }
}

TEST_CASE("redis: a server that stands still, or is busy for long, is a TIMEOUT, and OK again by itself") {
    for (auto const& url : {server().url(), server().tls_url()}) {
        set_url(url);
        static constexpr redis unverified{.url = env(variable), .tls = {.verify = false}};
        static constexpr auto sources = healthz::sources(healthz::source<"cache">(unverified, brisk_check));
        live<sources> monitor;
        REQUIRE(monitor.becomes(status::ok));
        auto const before = monitor.events().size();
        server().sigstop();
        // One on the connection that was kept, one while a new one is opened.
        bool const seen = eventually([&] { return monitor.events().size() >= before + 4; });
        server().sigcont();
        REQUIRE(seen);
        CHECK(monitor.events()[before + 2].status == status::timeout);
        CHECK(monitor.becomes(status::ok));

        std::thread sleep([] { server().call("DEBUG SLEEP 2"); });
        CHECK(monitor.becomes(status::timeout));
        sleep.join();
        CHECK(monitor.becomes(status::ok));
        CHECK(server().connections() <= 2);
        monitor.stop();
        monitor.destroy();
        CHECK(no_connection_left());
    }
}

TEST_CASE("redis: one connection is kept, and replaced without a word where the server ends it") {
    net::io_context context;
    redis const settings{.url = env(variable)};
    redis::session session(settings);
    auto const id = [] {
        auto const list = server().call("CLIENT LIST");
        auto const line = list.rfind("id=", list.find("user=monitor"));
        return list.substr(line, list.find(' ', line) - line);
    };
    set_url(server().url());
    CHECK(probe(context, session) == "OK null");
    auto const first = id();
    for (int i = 0; i < 5; ++i) CHECK(probe(context, session) == "OK null");
    CHECK(id() == first);
    CHECK(eventually([] { return server().connections() == 1; }, 10s));
    server().call("CLIENT KILL USER monitor");
    CHECK(probe(context, session) == "OK null");
    CHECK(id() != first);
    server().stop();
    server();
    CHECK(probe(context, session) == "OK null");
    set_url(server().url("/99"));  // another one is a new connection
    CHECK_THAT(probe(context, session), StartsWith("ERROR"));
    CHECK(no_connection_left());

    redis const fresh{.url = env(variable), .fresh = true};
    set_url(server().url());
    redis::session each(fresh);
    CHECK(probe(context, each) == "OK null");
    CHECK(no_connection_left());
}

TEST_CASE("redis: 1,000 cycles over TLS leave nothing behind") {
    auto const tls_url = server().tls_url();
    probe_1000_times(redis{.url = tls_url.c_str(), .fresh = true, .tls = {.verify = false}}, "OK");
    CHECK(no_connection_left());
}

TEST_CASE("redis: attempts that are given up leave nothing behind") {
    set_url(server().tls_url());
    redis const settings{.url = env(variable), .tls = {.verify = false}};
    net::io_context context;
    redis::session session(settings);
    std::vector<milliseconds> pauses;
    for (int i = 0; i < 20; ++i) pauses.emplace_back(i % 10);  // while it connects, signs in, and asks
    give_up_after(context, session, pauses);
    server().sigstop();
    give_up_after(context, session, {20ms, 20ms, 20ms});
    server().sigcont();
    CHECK(no_connection_left());
    CHECK(probe(context, session) == "OK null");
}

TEST_CASE("redis: what is no Redis URL is FAILED and names the setting") {
    test::unset_variable(variable);
    CHECK(probe(cache) == R"(FAILED "environment variable 'CACHE_URL' not set")");
    for (auto const* url : {"nonsense",
                            "redis:",
                            "redis://",
                            "redis:///1",
                            "http://127.0.0.1",
                            "redis://127.0.0.1:x",
                            "redis://127.0.0.1:0",
                            "redis://127.0.0.1:65536",
                            "redis://[::1",
                            "redis://[127.0.0.1]",
                            "redis://::1",
                            "redis://127.0.0.1/x",
                            "redis://127.0.0.1/1/2",
                            "redis://127.0.0.1/1?x=1",
                            "redis://127.0.0.1/-1",
                            "redis://a%zz@127.0.0.1",
                            "redis://*",
                            "redis://a:%4@127.0.0.1",
                            "redis://127.0.0.1/1234567890",
                            "redis://127.0.0.1#1",
                            "redis://a%00b"}) {
        INFO(url);
        set_url(url);
        CHECK(probe(cache) == R"(FAILED "environment variable 'CACHE_URL' is not a valid Redis URL")");
    }
    CHECK(probe(redis{.url = "nonsense"}) == R"(FAILED "the setting 'url' is not a valid Redis URL")");
    CHECK(probe(redis{.url = {}}) == R"(FAILED "the setting 'url' is not set")");
    static_assert(redis{}.complaint() != nullptr && redis{.url = healthz::env("X")}.complaint() == nullptr);
}

TEST_CASE("redis: whatever is answered, the outcome is bounded, and JSON in UTF-8") {
    std::string const huge(10'000'000, 'x');
    struct {
        std::string answer, begins;
    } const cases[] = {
        {"-ERR \xE4\xF6" + std::string(1, '\0') + "\r\n", error("command error", "ERR \xEF\xBF\xBD\xEF\xBF\xBD\\u0000")},
        {"-ERR " + huge + "\r\n", R"(ERROR {"message":"command error","extra":"ERR xxx)"},
        {"+" + huge, R"(ERROR {"message":"protocol error","extra":"+xxx)"},
        {"$10000000\r\n" + huge + "\r\n", error("protocol error", "$10000000")},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", error("protocol error", "HTTP/1.1 400 Bad Request")},
        {"\r\n", R"(ERROR {"message":"protocol error")"},
        {":1\r\n", error("protocol error", ":1")},
    };
    for (auto const& [answer, begins] : cases) {
        odd_server const odd(odd_server::answer(answer));
        auto const memory = process_status("VmRSS");
        auto const found = probe_url("redis://127.0.0.1:" + odd.port());
        CHECK_THAT(found, StartsWith(begins));
        CHECK(found.size() < 600);
        CHECK(healthz::detail::is_utf8(found));
        if (!sanitized) CHECK(process_status("VmRSS") - memory < 15000);  // the server's own copy
    }
    odd_server const cut([](net::ip::tcp::socket& client) { net::write(client, net::buffer("-ERR not all of", 15)); });
    CHECK(probe_url("redis://127.0.0.1:" + cut.port()).starts_with("ERROR"));
}

TEST_CASE("redis: passwords with every kind of character work, and no outcome holds a piece of one") {
    redis_server unknowing("rename-command AUTH \"\"\n");  // which quotes what it does not understand
    auto const place = "127.0.0.1:" + server().port();
    std::map<std::string, int> kinds;
    for (auto const& password : hard_passwords()) {
        INFO(password);
        std::string shell;
        for (char c : ">" + password) shell += c == '\'' ? std::string("'\\''") : std::string(1, c);
        server().call("ACL SETUSER hard reset on '" + shell + "' +ping");
        CHECK(probe_url("redis://hard:" + percent_encoded(password) + "@" + place) == "OK null");
        auto urls = urls_with("redis", password, place);
        for (auto const* user : {"redis://monitor:", "redis://:"})
            urls.push_back(user + percent_encoded(password) + "@127.0.0.1:" + unknowing.port());
        for (auto const& url : urls) {
            auto const found = probe_url(url);
            ++kinds[found.substr(0, found.find(' '))];
            if (!leak(found, password).empty()) FAIL_CHECK(url << " leaked " << leak(found, password) << " in " << found);
        }
    }
    CHECK(kinds["ERROR"] > 100);
    CHECK(kinds["FAILED"] > 100);
    CHECK(kinds.size() <= 3);

    set_url("redis://monitor:Xq7ZVw9J@127.0.0.1:" + unknowing.port());
    live<calm> monitor;
    monitor.wait_for(1);
    CHECK_THAT(monitor.document(), Contains("unknown command 'AUTH'") && Contains(std::string(healthz::detail::withheld)));
    CHECK(leak(monitor.document(), "Xq7ZVw9J").empty());
}

TEST_CASE("redis: what a server is known to say is the same whatever the password, and the rest is shown whole or not at all") {
    auto const with = [](std::string const& password, std::string const& port) {
        return probe_url("redis://monitor:" + percent_encoded(password) + "@127.0.0.1:" + port);
    };
    auto const pieces = [](std::string const& sentence) {
        std::vector<std::string> found{sentence, sentence + "!"};
        for (std::size_t size : {1U, 2U, 3U, 4U, 5U, 8U, 20U})
            for (std::size_t i = 0; i + size <= sentence.size(); ++i) found.push_back(sentence.substr(i, size));
        return found;
    };
    // Wrong passwords, by a real server.
    auto const denied = error("authentication failed", wrong_password);
    for (auto const& each : pieces(wrong_password))
        if (with(each, server().port()) != denied) FAIL_CHECK(each << ": " << with(each, server().port()));
    // Right ones: another's sentence.
    server().call("ACL SETUSER blind reset on nopass -@all +exists");
    std::string const no_permission = probe_url("redis://blind:Kd7tWq5n@127.0.0.1:" + server().port());
    CHECK_THAT(no_permission, StartsWith(R"(ERROR {"message":"permission denied","extra":"NOPERM )"));
    for (std::string const each : {"permission", "NOPERM", "perm", "this user has", "command", "e"})
        CHECK(probe_url("redis://blind:" + percent_encoded(each) + "@127.0.0.1:" + server().port()) == no_permission);

    // Sentences of other versions, which begin with a code that is known.
    odd_server const worded(odd_server::answer("-WRONGPASS try again, mypassword\r\n"));
    for (auto const& each : pieces("WRONGPASS try again, mypassword"))
        CHECK(with(each, worded.port()) == error("authentication failed", "WRONGPASS wrong user or password"));
    // And what nobody knows.
    std::string const withheld(healthz::detail::withheld), odd_sentence = "ERR out of luck today";
    odd_server const odd(odd_server::answer("-" + odd_sentence + "\r\n"));
    CHECK(with("Xq7ZVw9J", odd.port()) == error("authentication failed", odd_sentence));
    for (auto const& each : pieces(odd_sentence)) CHECK(with(each, odd.port()) == error("authentication failed", withheld));

    // A server that quotes half of the password, its percent-encoded form, or both beside odd bytes.
    for (std::string const quoted : {"p@ss/w?rd", "p@ss", "/w?r", "p%40ss%2Fw%3Frd", "%40ss%2fw", "%40s%73%2f%7", "\xFC\xDF p@ss"}) {
        odd_server const quoting(odd_server::answer("-ERR <" + quoted + "\r\n"));
        CHECK(with("p@ss/w?rd", quoting.port()) == error("authentication failed", withheld));
        odd_server const no_redis(odd_server::answer("HTTP/1.1 <" + quoted + "\r\n"));
        CHECK(with("p@ss/w?rd", no_redis.port()) == error("protocol error", withheld));
    }
    CHECK(with("refused", "1") == error("connection error", "127.0.0.1:1: Connection refused"));
}
