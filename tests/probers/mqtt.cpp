// SPDX-License-Identifier: BSL-1.0
// mqtt against a real mosquitto.
#include <healthz/probers/mqtt.hpp>
#include "../environment.hpp"
#include "mosquitto_server.hpp"
#include "nginx_server.hpp"
#include "support.hpp"

#include <fcntl.h>
#include <time.h>

#include <map>

using namespace test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using healthz::env;
using healthz::mqtt;
using healthz::status;

namespace {

mosquitto_server& broker() {
    static mosquitto_server one;
    one.start();
    return one;
}

constexpr char const* variable = "BROKER_URL";
void set_url(std::string const& url) { test::set_variable(variable, url); }

constexpr healthz::health_check brisk_check{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr mqtt hub{.url = env(variable), .tls = {.verify = false}};
constexpr auto brisk = healthz::sources(healthz::source<"broker">(hub, brisk_check));

std::string probe_url(std::string const& url, bool is_v5 = false) {
    mqtt settings{.url = url.c_str()};
    if (is_v5) settings.version = mqtt::v5;
    return probe(settings);
}

/// The finding of an attempt that is given `timeout`, however late this process is.
std::string probe_within(mqtt const& settings, milliseconds timeout) {
    mqtt::session session(settings);
    net::io_context context;
    std::string found = "does not end";
    auto task = [&]() -> net::awaitable<void> {
        auto awaitable = session.probe(healthz::attempt{timeout});
        auto const result = co_await std::move(awaitable);
        found = std::string(healthz::to_string(result.status())) + " " + std::string(result.json());
    };
    net::co_spawn(context, task(), net::detached);
    context.run_for(60s);
    return found;
}

/// The first verdict of a source that has 300 ms, at `url`.
template <auto const& Sources = brisk>
event first_at(std::string const& url) {
    set_url(url);
    live<Sources> monitor;
    return monitor.wait_for(1)[0];
}

bool no_connection_left() {
    return eventually([] { return broker().connections() == 0; }, 10s);
}

bool nothing_left() {
    return eventually([] { return broker().has_nothing(); }, 60s);
}

milliseconds processor_time() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
}

}  // namespace

TEST_CASE("mqtt: OK by name and by address, in both versions, and without a right to any topic") {
    auto const port = broker().port();
    for (bool const is_v5 : {false, true}) {
        CHECK(probe_url(broker().url(), is_v5) == "OK null");
        CHECK(probe_url(broker().url() + "/", is_v5) == "OK null");
        CHECK(probe_url(broker().url("localhost"), is_v5) == "OK null");
        CHECK(probe_url(broker().url("[::1]"), is_v5) == "OK null");
        CHECK(probe_url(broker().url_of("guest"), is_v5) == "OK null");
        CHECK(probe_url("MQTT" + broker().url().substr(4), is_v5) == "OK null");
    }
    auto const place = "mqtt://127.0.0.1:" + port;
    CHECK(probe(mqtt{.url = place.c_str(), .user = "monitor", .password = mosquitto_server::password}) == "OK null");
    CHECK(no_connection_left());
}

TEST_CASE("mqtt: each failure says what it is") {
    auto const at = "@127.0.0.1:" + broker().port();
    CHECK(probe_url("mqtt://127.0.0.1:1") == error("connection error", "127.0.0.1:1: Connection refused"));
    CHECK_THAT(probe_url("mqtts://localhost:1"), Contains("127.0.0.1:1: Connection refused"));
    CHECK_THAT(probe_url("mqtt://no-such-host.invalid"),
               StartsWith(R"(ERROR {"message":"name not resolved","extra":"no-such-host.invalid: )"));
    for (auto const* wrong : {"mqtt://monitor:wrong-one", "mqtt://nobody:Vq8zKw3x", "mqtt://monitor"}) {
        CHECK(probe_url(wrong + at) == error("authentication failed", "Connection Refused: not authorised."));
        CHECK(probe_url(wrong + at, true) == error("authentication failed", "Not authorized"));
    }
    CHECK(probe_url("mqtt://127.0.0.1:" + broker().port()) == error("authentication failed", "Connection Refused: not authorised."));

    nginx_server const web;
    CHECK(probe_url("mqtt://127.0.0.1:" + web.port()) ==
          error("protocol error", "A network protocol error occurred when communicating with the broker."));
    CHECK(probe_url("mqtt://127.0.0.1:" + broker().tls_port()) == error("connection error", "the server ended the connection"));
    CHECK(probe_url("mqtts://127.0.0.1:" + web.port()) == error("TLS error", "wrong version number"));
    CHECK(probe_url("mqtts://127.0.0.1:" + broker().port()) == error("TLS error", "the server ended the connection"));
    CHECK(no_connection_left());
}

TEST_CASE("mqtt: what a broker answers to CONNECT is said in words") {
    struct {
        char code;
        char const *message, *text;
    } const cases[] = {{1, "connection refused", "Connection Refused: unacceptable protocol version."},
                       {2, "connection refused", "Connection Refused: identifier rejected."},
                       {3, "connection refused", "Connection Refused: broker unavailable."},
                       {4, "authentication failed", "Connection Refused: bad user name or password."},
                       {5, "authentication failed", "Connection Refused: not authorised."},
                       {77, "connection refused", "Connection Refused: unknown reason."}};
    for (auto const& [code, message, text] : cases) {
        odd_server const refusing(odd_server::answer({'\x20', 2, 0, code}));
        CHECK(probe_url("mqtt://127.0.0.1:" + refusing.port()) == error(message, text));
    }
    odd_server const old(odd_server::answer({'\x20', 2, 0, 1}));  // which does not know version 5
    CHECK(probe_url("mqtt://127.0.0.1:" + old.port(), true) == error("connection refused", "Unsupported Protocol Version"));
}

TEST_CASE("mqtt: a retained message is there, with a text in it, or it is not") {
    broker().retain("status/gateway", "{\"state\":\"online\"}");
    broker().retain("secret/topic", "online");
    auto const url = broker().url();
    for (auto const version : {mqtt::v3_1_1, mqtt::v5}) {
        mqtt settings{.url = url.c_str(), .retained_topic = "status/gateway"};
        settings.version = version;
        CHECK(probe(settings) == "OK null");
        settings.expected_text = "online";
        CHECK(probe(settings) == "OK null");
        settings.expected_text = "offline";
        CHECK(probe(settings) == error("expected text not found", R"({\"state\":\"online\"})"));

        // Before the deadline, not at it: a TIMEOUT would say something else.
        for (auto const* topic : {"status/nothing", "secret/topic"}) {  // of what may not be read, a broker says nothing
            mqtt const missing{.url = url.c_str(), .retained_topic = topic};
            auto const begin = clock::now();
            CHECK(probe_within(missing, 600ms) == error("no retained message", topic));
            CHECK(clock::now() - begin >= 300ms);
        }
    }
    CHECK(nothing_left());
}

TEST_CASE("mqtt: a message that is not retained is none") {
    auto const url = broker().url();
    std::atomic<bool> ended = false;
    std::thread talker([&] {
        while (!ended) broker().publish("status/talk", "online", false);
    });
    mqtt const settings{.url = url.c_str(), .retained_topic = "status/talk"};
    CHECK(probe_within(settings, 1000ms) == error("no retained message", "status/talk"));
    ended = true;
    talker.join();
}

TEST_CASE("mqtt: a message that is published comes back, and is not retained") {
    broker().retain("status/gateway", "online");
    auto const url = broker().url();
    for (auto const version : {mqtt::v3_1_1, mqtt::v5}) {
        mqtt settings{.url = url.c_str(), .round_trip_topic = "echo/healthz"};
        settings.version = version;
        net::io_context context;
        mqtt::session session(settings);
        for (int i = 0; i < 20; ++i) CHECK(probe(context, session) == "OK null");
        settings.retained_topic = "status/gateway";
        settings.expected_text = "online";
        CHECK(probe(settings) == "OK null");
        settings.expected_text = "offline";
        CHECK_THAT(probe(settings), StartsWith(R"(ERROR {"message":"expected text not found")"));
    }
    CHECK(broker().call("sub -t 'echo/#' --retained-only -W 1") == "Timed out\n");
    CHECK(nothing_left());
}

TEST_CASE("mqtt: another's message does not count for one's own") {
    auto const url = broker().url();
    broker().retain("said/only", "healthz");
    std::atomic<bool> ended = false;
    std::thread talker([&] {
        while (!ended) broker().publish("heard/only", "healthz", false);
    });
    // Of this topic only the others' messages can be read; in version 5 the broker says so.
    mqtt settings{.url = url.c_str(), .round_trip_topic = "heard/only"};
    settings.version = mqtt::v5;
    CHECK(probe(settings) == error("publication refused", "heard/only: Not authorized"));
    ended = true;
    talker.join();

    static constexpr mqtt mute{.url = env(variable), .round_trip_topic = "heard/only"};
    static constexpr auto not_sent = healthz::sources(healthz::source<"broker">(mute, brisk_check));
    static constexpr mqtt deaf{.url = env(variable), .round_trip_topic = "said/only"};
    static constexpr auto not_received = healthz::sources(healthz::source<"broker">(deaf, brisk_check));
    CHECK(first_at<not_sent>(url).status == status::timeout);
    CHECK(first_at<not_received>(url).status == status::timeout);
    CHECK(nothing_left());
}

TEST_CASE("mqtt: a broker that refuses a subscription, or ends a connection, says so") {
    server_process process("dynsec");
    closed_port const port;
    std::string plugin;
    auto const options = std::filesystem::directory_options::skip_permission_denied;
    for (auto const& each : std::filesystem::recursive_directory_iterator("/usr/lib", options))
        if (each.path().filename() == "mosquitto_dynamic_security.so") plugin = each.path().string();
    REQUIRE(!plugin.empty());
    auto const control = [&](std::vector<std::string> const& words) {
        std::vector<std::string> command{"/usr/bin/mosquitto_ctrl",        "-p",    port.port(), "-u", "admin", "-P",
                                         mosquitto_server::admin_password, "dynsec"};
        command.insert(command.end(), words.begin(), words.end());
        process.run(command);
    };
    process.run({"/usr/bin/mosquitto_ctrl", "dynsec", "init", process.path("rights.json"), "admin", mosquitto_server::admin_password});
    process.write("mosquitto.conf", "user root\nlistener " + port.port() + " 127.0.0.1\nallow_anonymous true\nplugin " + plugin +
                                        "\nplugin_opt_config_file " + process.path("rights.json") + "\n");
    auto const anybody = "mqtt://127.0.0.1:" + port.port();
    process.start({"/usr/sbin/mosquitto", "-c", process.path("mosquitto.conf")}, [&] { return probe_url(anybody).starts_with("OK"); });
    for (auto const version : {mqtt::v3_1_1, mqtt::v5}) {
        auto const* const text = version == mqtt::v5 ? "echo: Not authorized" : "echo: Unspecified error";
        mqtt retained{.url = anybody.c_str(), .retained_topic = "echo"}, round_trip{.url = anybody.c_str(), .round_trip_topic = "echo"};
        retained.version = round_trip.version = version;
        CHECK(probe(retained) == error("subscription refused", text));
        CHECK(probe(round_trip) == error("subscription refused", text));
    }

    control({"createRole", "reader"});
    control({"addRoleACL", "reader", "subscribePattern", "#", "allow"});
    auto const url = "mqtt://monitor:Vq8zKw3x@127.0.0.1:" + port.port();
    for (auto const version : {mqtt::v3_1_1, mqtt::v5}) {
        control({"createClient", "monitor", "-p", mosquitto_server::password});
        control({"addClientRole", "monitor", "reader"});
        mqtt waiting{.url = url.c_str(), .retained_topic = "status/nothing"};
        waiting.version = version;
        std::thread ending([&] {
            std::this_thread::sleep_for(200ms);  // so that it waits for the message
            control({"deleteClient", "monitor"});
        });
        CHECK(probe_within(waiting, 100s) == error("connection error", std::string("the server ended the connection") +
                                                                           (version == mqtt::v5 ? ": Administrative action" : "")));
        ending.join();
    }
}

TEST_CASE("mqtt: two sources do not throw each other out unless they have the same client id") {
    auto const url = broker().url();
    net::io_context context;
    // Each waits for a message until half of its timeout, so that both are connected at once.
    auto const both = [&](mqtt const& settings) {
        mqtt::session first(settings), second(settings);
        std::vector<std::string> found;
        auto task = [&found](mqtt::session& session) -> net::awaitable<void> {
            auto awaitable = session.probe(healthz::attempt{4s});
            auto const result = co_await std::move(awaitable);
            found.emplace_back(result.json());
        };
        net::co_spawn(context, task(first), net::detached);
        net::co_spawn(context, task(second), net::detached);
        context.restart();
        context.run_for(60s);
        std::sort(found.begin(), found.end());
        return found;
    };
    std::string const missing = R"({"message":"no retained message","extra":"status/nothing"})";
    mqtt settings{.url = url.c_str(), .retained_topic = "status/nothing"};
    CHECK(both(settings) == std::vector<std::string>{missing, missing});

    settings.client_id = "gateway-7";
    std::string const thrown_out =
        R"({"message":"connection error","extra":"the server ended the connection, as it does where another client has the same client_id"})";
    CHECK(both(settings) == std::vector<std::string>{thrown_out, missing});
    CHECK(nothing_left());
}

TEST_CASE("mqtt: whoever does not answer is a TIMEOUT on time, and costs no processor") {
    full_backlog const no_accept;
    odd_server const silent(odd_server::wait_for_end);
    odd_server const slow([](net::ip::tcp::socket& client) {
        while (true) {
            net::write(client, net::buffer("\x20", 1));  // a CONNACK whose length does not end
            std::this_thread::sleep_for(20ms);
        }
    });
    odd_server const half(odd_server::answer({'\x20', 2, 0, 0}));  // lets everybody in, and then says nothing
    for (auto const& url : {"mqtt://127.0.0.1:" + no_accept.port(), "mqtts://127.0.0.1:" + no_accept.port(),
                            "mqtt://127.0.0.1:" + silent.port(), "mqtts://127.0.0.1:" + silent.port(), "mqtt://127.0.0.1:" + half.port()}) {
        INFO(url);
        auto const used = processor_time();
        set_url(url);
        live<brisk> monitor;
        auto const first = monitor.wait_for(1)[0];
        CHECK(first.status == status::timeout);
        CHECK(first.time - monitor.started() >= brisk_check.timeout - 2ms);
        CHECK(first.time - monitor.started() <= brisk_check.timeout + prompt());
        if (!sanitized) CHECK(processor_time() - used < brisk_check.timeout / 2);
        CHECK(monitor.stop() < 1000ms + prompt());
    }
    CHECK(first_at("mqtt://127.0.0.1:" + slow.port()).status != status::ok);
}

TEST_CASE("mqtt: a broker that stands still is a TIMEOUT, and OK again by itself; killed it is an ERROR until it is back") {
    for (auto const& url : {broker().url(), broker().tls_url()}) {
        INFO(url);
        set_url(url);
        live<brisk> monitor;
        REQUIRE(monitor.becomes(status::ok));
        broker().sigstop();
        bool const seen = monitor.becomes(status::timeout);
        broker().sigcont();
        REQUIRE(seen);
        CHECK(monitor.becomes(status::ok));
        broker().kill();
        CHECK(monitor.becomes(status::error));
        CHECK_THAT(monitor.events().back().error, Contains("connection error"));
        broker();
        CHECK(monitor.becomes(status::ok));
    }
    CHECK(nothing_left());
}

TEST_CASE("mqtt: TLS, with the broker's certificate verified unless told otherwise") {
    mosquitto_server server;
    auto const ca = server.file("ca.pem"), cert = server.file("client.pem"), key = server.file("client.key");
    auto const ask = [&](std::string const& url, bool verify = true) {
        return probe(mqtt{.url = url.c_str(), .tls = {.ca_file = ca.c_str(), .verify = verify}});
    };
    auto const shows = [&](certificate const& other) {
        server.stop();
        server.use_certificate(other);
        server.start();
    };
    auto const by_name = server.tls_url(), by_address = server.tls_url("127.0.0.1");
    CHECK(ask(by_name) == "OK null");
    CHECK(ask(by_address) == "OK null");
    CHECK_THAT(probe_url(by_name), StartsWith(R"(ERROR {"message":"TLS error","extra":"the certificate for )") &&
                                       Contains("self-signed certificate in certificate chain"));

    auto const mutual = "mqtts://monitor:Vq8zKw3x@localhost:" + server.mutual_port();
    CHECK(probe(mqtt{.url = mutual.c_str(), .tls = {.ca_file = ca.c_str(), .cert_file = cert.c_str(), .key_file = key.c_str()}}) ==
          "OK null");
    CHECK_THAT(ask(mutual), StartsWith("ERROR") && (Contains("certificate required") || Contains("the server ended the connection")));

    shows(server.trusted().issue("DNS:elsewhere.example"));
    CHECK(ask(by_name) == error("TLS error", "the certificate for 'elsewhere.example' is not for 'localhost'"));
    CHECK(ask(by_address) == error("TLS error", "the certificate for 'elsewhere.example' is not for '127.0.0.1'"));
    CHECK(ask(by_name, false) == "OK null");
    shows(server.trusted().issue("DNS:localhost", -1));
    CHECK_THAT(ask(by_name), StartsWith(R"(ERROR {"message":"TLS error","extra":"the certificate for 'localhost' expired on )"));
    CHECK(ask(by_name, false) == "OK null");
    shows(authority("nobody's authority").issue());
    CHECK_THAT(ask(by_name), StartsWith(R"(ERROR {"message":"TLS error")") && Contains("nobody's authority"));
}

TEST_CASE("mqtt: in TLS the host is asked for by its name, and an address is not") {
    auto const hello = [](std::string const& host) {
        std::string got;
        {
            odd_server const server([&](net::ip::tcp::socket& client) {
                char some[4000];
                got = std::string(some, client.read_some(net::buffer(some)));
            });
            CHECK_THAT(probe_url("mqtts://" + host + ":" + server.port()), StartsWith(R"(ERROR {"message":"TLS error")"));
        }
        return got;
    };
    CHECK_THAT(hello("localhost"), Contains("localhost") && !Contains("127.0.0.1"));
    CHECK_THAT(hello("127.0.0.1"), !Contains("127.0.0.1"));
}

TEST_CASE("mqtt: files for TLS that cannot be used are FAILED") {
    auto const url = broker().tls_url(), key = broker().file("client.key");
    CHECK(probe(mqtt{.url = url.c_str(), .tls = {.ca_file = "/no/such/file"}}) ==
          R"(FAILED "the setting 'tls.ca_file' names no usable file: No such file or directory")");
    CHECK(probe(mqtt{.url = url.c_str(), .tls = {.ca_file = env("NO_SUCH_VARIABLE")}}) ==
          R"(FAILED "environment variable 'NO_SUCH_VARIABLE' not set")");
    CHECK(probe(mqtt{.url = url.c_str(), .tls = {.key_file = key.c_str()}}) == R"(FAILED "the setting 'tls.cert_file' is not set")");
}

TEST_CASE("mqtt: what cannot be asked for is FAILED and names the setting") {
    test::unset_variable(variable);
    CHECK(probe(hub) == R"(FAILED "environment variable 'BROKER_URL' not set")");
    for (auto const* url :
         {"nonsense", "mqtt:", "mqtt://", "mqtt:///", "http://127.0.0.1", "mqtt://127.0.0.1:x", "mqtt://127.0.0.1:0",
          "mqtt://127.0.0.1:65536", "mqtt://[::1", "mqtt://::1", "mqtt://127.0.0.1/topic", "mqtt://127.0.0.1?x=1", "mqtt://a%zz@127.0.0.1",
          "mqtt://*", "mqtt://a:%4@127.0.0.1", "mqtt://a%00b@127.0.0.1", "mqtt://a:b%00@127.0.0.1", "tcp://127.0.0.1"}) {
        INFO(url);
        set_url(url);
        CHECK(probe(hub) == R"(FAILED "environment variable 'BROKER_URL' is not a valid MQTT URL")");
    }
    CHECK(probe(mqtt{.url = "nonsense"}) == R"(FAILED "the setting 'url' is not a valid MQTT URL")");
    CHECK(probe(mqtt{.url = {}}) == R"(FAILED "the setting 'url' is not set")");
    std::string const without_user = R"(FAILED "MQTT has no password without a user: the setting 'user' is not set")";
    CHECK(probe(mqtt{.url = "mqtt://:Vq8zKw3x@127.0.0.1"}) == without_user);
    CHECK(probe(mqtt{.url = "mqtt://127.0.0.1", .password = "Vq8zKw3x"}) == without_user);
    auto const url = broker().url();
    for (auto const* topic : {"a/+/b", "a/#", "#", "\xFC"}) {
        CHECK(probe(mqtt{.url = url.c_str(), .retained_topic = topic}) ==
              R"(FAILED "the setting 'retained_topic' is no topic of MQTT without wildcards")");
        CHECK(probe(mqtt{.url = url.c_str(), .round_trip_topic = topic}) ==
              R"(FAILED "the setting 'round_trip_topic' is no topic of MQTT without wildcards")");
    }
    CHECK(probe(mqtt{.url = url.c_str(), .client_id = "\xFC"}) == R"(FAILED "the user or client id is no text in UTF-8")");
    CHECK(probe(mqtt{.url = url.c_str(), .user = "\xFC"}) == R"(FAILED "the user or client id is no text in UTF-8")");
    CHECK(probe(mqtt{.url = url.c_str(), .client_id = env("NO_SUCH_VARIABLE")}) ==
          R"(FAILED "environment variable 'NO_SUCH_VARIABLE' not set")");
    static_assert(mqtt{}.complaint() != nullptr && mqtt{.url = env("X")}.complaint() == nullptr);
    static_assert(mqtt{.url = "mqtt://a", .expected_text = "a"}.complaint() != nullptr);
}

TEST_CASE("mqtt: whatever comes, the outcome is bounded, and JSON in UTF-8") {
    auto const url = broker().url();
    for (auto const& [payload, begins] :
         {std::pair<std::string, std::string>("gr\xFC\xDF" + std::string(1, '\0') + "\"\n", R"(gr)"
                                                                                            "\xEF\xBF\xBD\xEF\xBF\xBD"
                                                                                            R"(\u0000\"\n"})"),
          {std::string(10'000'000, 'x'), "xxx"}}) {
        broker().publish("status/odd", payload, true);
        auto const found = probe(mqtt{.url = url.c_str(), .retained_topic = "status/odd", .expected_text = "online"});
        CHECK_THAT(found, StartsWith(R"(ERROR {"message":"expected text not found","extra":")" + begins));
        CHECK(found.size() < 600);
        CHECK(healthz::detail::is_utf8(found));
    }
    broker().publish("status/odd", "", true);  // which retains nothing more

    std::string const connack{'\x20', 2, 0, 0};
    for (auto const& answer : {std::string("-ERR\r\n"), std::string(10'000'000, 'x'), std::string(100, '\0'), std::string(100, '\xFF'),
                               std::string("\x20\x00", 2), std::string("\x20\x01\x00", 3), connack + connack, connack + "\x90\x01\x01",
                               connack + std::string("\xB0\x02\x00\x00", 4), connack + std::string("\x30\x02\x00\x05", 4),
                               connack + "\x36\x03\x01\x01\x61", connack + std::string("\xE0\x00", 2)}) {
        odd_server const odd([&](net::ip::tcp::socket& client) {
            char some[1000];
            client.read_some(net::buffer(some));
            net::write(client, net::buffer(answer));
        });
        auto const found = probe_url("mqtt://127.0.0.1:" + odd.port());
        INFO(answer.substr(0, 20) << ": " << found);
        CHECK_THAT(found, StartsWith(R"(ERROR {"message":")"));
        CHECK(found.size() < 600);
        CHECK(healthz::detail::is_utf8(found));
    }
}

TEST_CASE("mqtt: passwords with every kind of character work, and no outcome holds a piece of one") {
    auto const passwords = hard_passwords();
    for (std::size_t i = 0; i + 1 < passwords.size(); ++i) broker().add_user("hard" + std::to_string(i), passwords[i]);
    broker().set_password("hard" + std::to_string(passwords.size() - 1), passwords.back());
    auto const place = "127.0.0.1:" + broker().port();
    std::map<std::string, int> kinds;
    for (std::size_t i = 0; i < passwords.size(); ++i) {
        auto const& password = passwords[i];
        INFO(password);
        CHECK(probe_url("mqtt://hard" + std::to_string(i) + ":" + percent_encoded(password) + "@" + place) == "OK null");
        for (auto const& url : urls_with("mqtt", password, place)) {
            auto const found = probe_url(url);
            ++kinds[found.substr(0, found.find(' '))];
            if (!leak(found, password).empty()) FAIL_CHECK(url << " leaked " << leak(found, password) << " in " << found);
        }
        // Somebody has published it.
        broker().publish("status/told", "<" + password, true);
        auto const url = broker().url_of("monitor");
        auto const found = probe(mqtt{.url = url.c_str(), .retained_topic = "status/told", .expected_text = "online"});
        CHECK_THAT(found, StartsWith(R"(ERROR {"message":"expected text not found")"));
    }
    CHECK(kinds["FAILED"] > 100);
    CHECK(kinds.size() <= 3);
    auto const url = broker().url();
    broker().publish("status/told", std::string("my password is ") + mosquitto_server::password, true);
    CHECK(probe(mqtt{.url = url.c_str(), .retained_topic = "status/told", .expected_text = "online"}) ==
          error("expected text not found", std::string(healthz::detail::withheld)));
    broker().publish("status/told", "", true);
}

TEST_CASE("mqtt: 1,000 cycles over TLS leave nothing behind") {
    auto const url = broker().tls_url();
    probe_1000_times(mqtt{.url = url.c_str(), .round_trip_topic = "echo/healthz", .tls = {.verify = false}}, "OK");
    CHECK(no_connection_left());
    CHECK(nothing_left());
}

TEST_CASE("mqtt: attempts that are given up leave nothing behind") {
    auto const url = broker().tls_url();
    mqtt const settings{
        .url = url.c_str(), .retained_topic = "status/nothing", .round_trip_topic = "echo/healthz", .tls = {.verify = false}};
    net::io_context context;
    mqtt::session session(settings);
    std::vector<milliseconds> pauses;
    for (int i = 0; i < 20; ++i) pauses.emplace_back(i % 10);  // while it connects, signs in, and asks
    give_up_after(context, session, pauses);
    broker().sigstop();
    give_up_after(context, session, {20ms, 20ms, 20ms});
    broker().sigcont();
    CHECK(no_connection_left());
    CHECK(nothing_left());
}

TEST_CASE("mqtt: no program that the process starts gets the connection") {
    odd_server const silent(odd_server::wait_for_end);
    auto const url = "mqtt://127.0.0.1:" + silent.port();
    mqtt const settings{.url = url.c_str()};
    net::io_context context;
    mqtt::session session(settings);
    net::cancellation_signal cancel;
    auto task = [&]() -> net::awaitable<void> { co_await session.probe(healthz::attempt{20s}); };
    auto token = net::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {});
    auto const count = [](bool inherited_only) {
        int found = 0;
        for (auto const& each : std::filesystem::directory_iterator("/proc/self/fd")) {
            int const descriptor = std::stoi(each.path().filename());
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            bool const is_remote = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.ss_family == AF_INET &&
                                   ntohs(reinterpret_cast<sockaddr_in const&>(peer).sin_port) != 0;
            int const flags = ::fcntl(descriptor, F_GETFD);
            found += is_remote && (!inherited_only || (flags & FD_CLOEXEC) == 0);
        }
        return found;
    };
    auto const all = count(false), inherited = count(true);
    net::co_spawn(context, task(), token);
    context.run_for(100ms);
    CHECK(count(false) >= all + 2);       // libmosquitto's own, and the copy that is waited at
    CHECK(count(true) <= inherited + 1);  // the other end, here
    cancel.emit(net::cancellation_type::terminal);
    context.restart();
    context.run();
}
