// SPDX-License-Identifier: BSL-1.0
// tcp against real sockets.
#include <healthz/probers/tcp.hpp>
#include "../asio/support.hpp"
#include "../environment.hpp"
#include "../conformance/odd_servers.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/write.hpp>

#include <net/if.h>
#include <sys/ioctl.h>

#include <filesystem>

namespace net = boost::asio;
using namespace test;
using address = net::ip::tcp::endpoint;
using healthz::env;
using healthz::status;
using healthz::tcp;

namespace {

/// Listens on an address, on a free port unless one is given.
struct service {
    net::io_context context;
    net::ip::tcp::acceptor acceptor{context};

    explicit service(char const* host, unsigned short port = 0, int backlog = 100) {
        address const local(net::ip::make_address(host), port);
        acceptor.open(local.protocol());
        acceptor.set_option(net::socket_base::reuse_address(true));
        if (local.protocol() == net::ip::tcp::v6()) acceptor.set_option(net::ip::v6_only(true));
        acceptor.bind(local);
        acceptor.listen(backlog);
    }
    std::string port() const { return std::to_string(acceptor.local_endpoint().port()); }

    /// Whether no client waits to be accepted, or just one that a busy machine has let in before its reset.
    bool hears_of_nobody() {
        net::ip::tcp::socket client(context);
        boost::system::error_code ec;
        acceptor.non_blocking(true);
        acceptor.accept(client, ec);
        if (ec == net::error::would_block) return true;
        char byte;
        client.read_some(net::buffer(&byte, 1), ec);
        return ec == net::error::connection_reset;
    }
};

std::string probe(tcp const& prober, milliseconds timeout = 30s) {
    net::io_context context;
    std::string found = "does not end";
    auto task = [&]() -> net::awaitable<void> {
        auto const result = co_await prober.probe();
        found = std::string(to_string(result.status())) + " " + std::string(result.json());
    };
    net::co_spawn(context, task(), net::detached);
    context.run_for(timeout);
    return found;
}

std::string probe(std::string const& text) { return probe(tcp{.address = text.c_str()}); }

std::string error(std::string const& message, std::string const& extra) {
    return R"(ERROR {"message":")" + message + R"(","extra":")" + extra + R"("})";
}

constexpr char const* variable = "QUEUE_ADDRESS";
void set(std::string const& text) { test::set_variable(variable, text); }

constexpr tcp queue{.address = env(variable)};
constexpr healthz::health_check calm_check{.interval = 20ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 600ms, .timeout = 400ms, .retries = 0};
constexpr auto calm = healthz::sources(healthz::source<"queue">(queue, calm_check));
constexpr auto brisk = healthz::sources(healthz::source<"queue">(queue, brisk_check));

}  // namespace

TEST_CASE("tcp: OK by number and by name, and the service does not hear of it") {
    for (std::string const host : {"127.0.0.1", "::1"}) {
        INFO(host);
        service server(host.c_str());
        auto const literal = host == "::1" ? "[::1]" : host;
        CHECK(probe(literal + ":" + server.port()) == "OK null");
        CHECK(server.hears_of_nobody());
        CHECK(probe(literal + ":0" + server.port()) == "OK null");
        CHECK(server.hears_of_nobody());
    }
    service server("127.0.0.1");
    CHECK(probe("localhost:" + server.port()) == "OK null");
    CHECK(server.hears_of_nobody());
    CHECK(probe("[::ffff:127.0.0.1]:" + server.port()) == "OK null");
    CHECK(server.hears_of_nobody());
}

TEST_CASE("tcp: a refusal is told in the system's words, for each address of a name") {
    closed_port const nobody;
    CHECK(probe("127.0.0.1:" + nobody.port()) == error("connection error", "127.0.0.1:" + nobody.port() + ": Connection refused"));
    CHECK(probe("[::1]:1") == error("connection error", "[::1]:1: Connection refused"));
    CHECK(probe("localhost:1").find("127.0.0.1:1: Connection refused") != std::string::npos);
    auto const broadcast = probe("255.255.255.255:80");
    CHECK(broadcast.starts_with(R"(ERROR {"message":"connection error","extra":"255.255.255.255:80: )"));
}

TEST_CASE("tcp: a name that stands for nothing") {
    // A label of more than 63 characters is none, so that nobody else is asked.
    auto const label = std::string(64, 'a');
    CHECK(probe(label + ":80") == error("name not resolved", label + ": Name or service not known"));
    CHECK(probe("no-such-host.invalid:80").starts_with(R"(ERROR {"message":"name not resolved","extra":"no-such-host.invalid: )"));
    for (auto const* host : {"a b", "a/b", "a\"b", "a\nb", "user@host", "\xE4\xFF", "127.0.0.256", "1.2.3.4.5", "-"}) {
        INFO(host);
        auto const found = probe(std::string(host) + ":80");
        CHECK(found.starts_with("ERROR {\"message\":\"name not resolved\",\"extra\":\""));
        CHECK(healthz::detail::is_utf8(found));
    }
    CHECK(probe("\xE4\"\n.:80").starts_with("ERROR {\"message\":\"name not resolved\",\"extra\":\"\xEF\xBF\xBD\\\"\\n.: "));
    auto const cut = probe(std::string(5000, 'a') + ":80");
    CHECK(cut.starts_with(R"(ERROR {"message":"name not resolved","extra":"aaa)"));
    CHECK(cut.size() == 6 + tcp::outcome_type::capacity);
}

TEST_CASE("tcp: what is no address is FAILED, and names the setting but not its value") {
    for (auto const* text : {"localhost",
                             "127.0.0.1",
                             ":80",
                             ":",
                             "localhost:",
                             "localhost:http",
                             "localhost:0",
                             "localhost:65536",
                             "localhost:-1",
                             "localhost:+80",
                             "localhost: 80",
                             "localhost:80 ",
                             "localhost:8O",
                             "localhost:80/",
                             "localhost:0x50",
                             "::1",
                             "::1:80",
                             "[::1]",
                             "[::1",
                             "[::1:80",
                             "::1]:80",
                             "[]:80",
                             "*:80",
                             "[[::1]]:80",
                             "[localhost]:80",
                             "[127.0.0.1]:80",
                             "[localhost:80",
                             "localhost]:80",
                             "http://localhost:80",
                             "http://localhost",
                             "localhost:80:80",
                             "localhost:99999999999999999999",
                             "\xFF",
                             "\xFF:\xFF"}) {
        INFO(text);
        CHECK(probe(tcp{.address = text}) == R"(FAILED "the setting 'address' is not of the form host:port")");
        set(text);
        CHECK(probe(queue) == R"(FAILED "environment variable 'QUEUE_ADDRESS' is not of the form host:port")");
    }
    test::unset_variable(variable);
    CHECK(probe(queue) == R"(FAILED "environment variable 'QUEUE_ADDRESS' not set")");
    CHECK(probe(tcp{.address = env(variable, "nowhere")}) == R"(FAILED "the setting 'address' is not of the form host:port")");
    set("");
    CHECK(probe(queue) == R"(FAILED "environment variable 'QUEUE_ADDRESS' is empty")");
    CHECK(probe(tcp{}) == R"(FAILED "the setting 'address' is not set")");
    static_assert(tcp{}.complaint() != nullptr && tcp{.address = "x"}.complaint() == nullptr);
}

TEST_CASE("tcp: an address that never answers is a TIMEOUT on time, and OK once it does") {
    service server("127.0.0.1", 0, 0);
    // Where its queue is full, the system does not answer.
    std::vector<net::ip::tcp::socket> queued;
    net::io_context context;
    for (int i = 0; i < 20; ++i) {
        queued.emplace_back(context);
        queued.back().async_connect(server.acceptor.local_endpoint(), [](boost::system::error_code) {});
        context.restart();
        context.run_for(5ms);
    }
    set("127.0.0.1:" + server.port());
    auto const descriptors = open_descriptors();
    {
        live<brisk> monitor;
        auto const found = monitor.wait_for(3);
        for (auto const& each : found) {
            CHECK(each.status == status::timeout);
            CHECK(each.error == "null");
        }
        auto const late = std::chrono::duration_cast<milliseconds>(found[0].time - monitor.started() - brisk_check.timeout);
        CHECK(late.count() >= -2);
        CHECK(late.count() <= prompt().count());
        CHECK(monitor.stop().count() < 1000);
        monitor.destroy();
        CHECK(open_descriptors() <= descriptors);
    }
    live<brisk> monitor;
    CHECK(monitor.becomes(status::timeout));
    queued.clear();
    std::atomic<bool> over = false;
    std::thread serving([&] {
        server.acceptor.non_blocking(true);
        while (!over) {
            boost::system::error_code ec;
            server.acceptor.accept(ec);
            if (ec) std::this_thread::sleep_for(1ms);
        }
    });
    CHECK(monitor.becomes(status::ok));
    over = true;
    serving.join();
}

TEST_CASE("tcp: a service that comes and goes is followed") {
    std::string port;
    {
        service server("127.0.0.1");
        port = server.port();
    }
    set("127.0.0.1:" + port);
    live<calm> monitor;
    for (int i = 0; i < 3; ++i) {
        CHECK(monitor.becomes(status::error));
        CHECK("ERROR " + monitor.events().back().error == error("connection error", "127.0.0.1:" + port + ": Connection refused"));
        std::optional<service> server;
        server.emplace("127.0.0.1", static_cast<unsigned short>(std::stoi(port)));
        CHECK(monitor.becomes(status::ok));
    }
}

TEST_CASE("tcp: a thousand checks leave nothing behind") {
    service server("127.0.0.1");
    closed_port const nobody;
    auto const open = "127.0.0.1:" + server.port(), named = "localhost:" + server.port(), closed = "127.0.0.1:" + nobody.port();
    auto const round = [&] {
        for (auto const* good : {&open, &named}) {
            if (probe(*good) != "OK null" || !server.hears_of_nobody()) FAIL_CHECK(*good);
        }
        if (!probe(closed).starts_with("ERROR ")) FAIL_CHECK(closed);
    };
    for (int i = 0; i < 50; ++i) round();
    auto const descriptors = open_descriptors();
    auto const memory = process_status("VmRSS"), threads = process_status("Threads");
    for (int i = 0; i < 1000; ++i) round();
    CHECK(open_descriptors() <= descriptors);
    CHECK(eventually([&] { return process_status("Threads") <= threads + 1; }));  // an idle worker ends after ten seconds
    if (!sanitized) CHECK(process_status("VmRSS") - memory < 2000);
}

// ---- on a machine of its own, where names and ports are what the test needs

TEST_CASE("tcp: on a machine of its own", "[.]") {
    std::ifstream hosts("/etc/hosts");
    std::string const known{std::istreambuf_iterator<char>(hosts), {}};
    if (known.find("twofold") == std::string::npos) {
        WARN("skipped: this is everybody's machine; the test below starts this one");
        return;
    }
    {
        int const any = ::socket(AF_INET, SOCK_DGRAM, 0);
        ifreq loopback{};
        std::string_view("lo").copy(loopback.ifr_name, IFNAMSIZ - 1);
        loopback.ifr_flags = IFF_UP | IFF_RUNNING;
        REQUIRE(::ioctl(any, SIOCSIFFLAGS, &loopback) == 0);
        ::close(any);
    }
    // A name with two addresses is OK where one of them is, whichever it is.
    for (auto const* host : {"127.0.0.1", "::1"}) {
        service server(host, 4711);
        CHECK(probe("twofold:4711") == "OK null");
        CHECK(server.hears_of_nobody());
    }
    auto const refused = probe("twofold:1");
    auto const v6_first = error("connection error", "[::1]:1: Connection refused\\n127.0.0.1:1: Connection refused");
    auto const v4_first = error("connection error", "127.0.0.1:1: Connection refused\\n[::1]:1: Connection refused");
    CHECK((refused == v6_first || refused == v4_first));
    CHECK(probe("192.0.2.1:80") == error("connection error", "192.0.2.1:80: Network is unreachable"));
    CHECK(probe("no-such-host.invalid:80").starts_with(R"(ERROR {"message":"name not resolved")"));

    // With one port to connect from, a socket that connects to that port meets itself.
    std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40001 40001" << std::flush;
    net::io_context context;
    net::ip::tcp::socket control(context);
    control.connect(address(net::ip::address_v4::loopback(), 40001));
    REQUIRE(control.local_endpoint() == control.remote_endpoint());
    control.set_option(net::socket_base::linger(true, 0));
    control.close();
    CHECK(probe("127.0.0.1:40001") == error("connection error", "127.0.0.1:40001: Connection refused"));
}

TEST_CASE("tcp: names with several addresses, and a socket that meets itself") {
    std::string const hosts = "/tmp/healthz-tcp-hosts-" + std::to_string(::getpid());
    std::ofstream(hosts) << "127.0.0.1 twofold\n::1 twofold\n" << std::flush;
    auto const self = std::filesystem::read_symlink("/proc/self/exe").string();
    auto const run = [&](std::string const& what) { return std::system(("unshare -rmn sh -c '" + what + "'").c_str()); };
    if (run("mount --bind " + hosts + " /etc/hosts && test -w /proc/sys/net/ipv4/ip_local_port_range") != 0)
        WARN("skipped: this process may not make namespaces for names and ports of its own");
    else CHECK(run("mount --bind " + hosts + " /etc/hosts && exec \"" + self + "\" \"tcp: on a machine of its own\"") == 0);
    std::filesystem::remove(hosts);
}
