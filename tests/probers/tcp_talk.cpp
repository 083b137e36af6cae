// SPDX-License-Identifier: BSL-1.0
// tcp over unix sockets, and with something to say and to hear.
#include <healthz/probers/tcp.hpp>
#include "support.hpp"
#include "../environment.hpp"

using namespace test;
using healthz::env;
using healthz::status;
using healthz::tcp;

namespace {

using local = net::local::stream_protocol;

/// Listens at a path of its own.
struct unix_service {
    std::string const path;
    net::io_context context;
    local::acceptor acceptor{context};

    explicit unix_service(std::string const& name, int backlog = 10) : path("/tmp/healthz_" + name + "_" + std::to_string(::getpid())) {
        ::unlink(path.c_str());
        acceptor.open(local());
        acceptor.bind(local::endpoint(path));
        acceptor.listen(backlog);
    }
    ~unix_service() { ::unlink(path.c_str()); }
    std::string address() const { return "unix:" + path; }
};

std::string probe_address(std::string const& address) { return probe(tcp{.address = address.c_str()}); }

/// The outcome where a server says `bytes` once it was told `send`, and then stays or goes.
std::string answered_by(std::string const& bytes, std::string_view send, std::string_view expect, bool goes = false) {
    odd_server const server([&](net::ip::tcp::socket& client) {
        std::string told(send.size(), '\0');
        net::read(client, net::buffer(told));
        net::write(client, net::buffer(told == send ? bytes : "something else came"));
        if (!goes) odd_server::wait_for_end(client);
    });
    auto const address = "127.0.0.1:" + server.port();
    return probe(tcp{.address = address.c_str(), .send = send, .expect = expect});
}

constexpr tcp greeter{.address = env("GREETER_ADDRESS"), .expect = "hello"};
constexpr auto brisk = healthz::sources(healthz::source<"greeter">(greeter, {.interval = 400ms, .timeout = 200ms, .retries = 0}));

}  // namespace

TEST_CASE("tcp: unix sockets") {
    std::string address;
    {
        unix_service server("tcp");
        address = server.address();
        CHECK(probe_address(address) == "OK null");
        char byte;
        boost::system::error_code ec;
        server.acceptor.accept().read_some(net::buffer(&byte, 1), ec);
        CHECK(ec == net::error::eof);
    }
    CHECK(probe_address(address) == error("connection error", address.substr(5) + ": No such file or directory"));
    CHECK(probe_address("unix:/dev/null") == error("connection error", "/dev/null: Connection refused"));
    CHECK(probe_address("unix:/") == error("connection error", "/: Connection refused"));
    for (auto const& path : {std::string("unix:"), "unix:/" + std::string(107, 'x')})
        CHECK(probe_address(path) == R"(FAILED "the setting 'address' has a path that no socket can have")");
    CHECK(probe_address("unix:/" + std::string(106, 'x')).starts_with(R"(ERROR {"message":"connection error")"));
}

TEST_CASE("tcp: a unix socket where too many wait to be accepted is an ERROR, not an OK") {
    unix_service server("tcp_full", 0);
    std::vector<local::socket> waiting;
    for (int i = 0; i < 5; ++i) {
        waiting.emplace_back(server.context);
        waiting.back().open(local());
        waiting.back().native_non_blocking(true);
        auto const to = local::endpoint(server.path);
        ::connect(waiting.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
    }
    CHECK(probe_address(server.address()) == error("connection error", server.path + ": Resource temporarily unavailable"));
    server.acceptor.accept();
    CHECK(probe_address(server.address()) == "OK null");
}

TEST_CASE("tcp: something is sent and something expected") {
    using namespace std::string_view_literals;
    CHECK(answered_by("+PONG\r\n", "PING\r\n", "+PONG") == "OK null");
    CHECK(answered_by("220 mail.example ESMTP\r\n", "", "220 ") == "OK null");
    CHECK(answered_by("220 mail.example ESMTP\r\n", "", "220 ", true) == "OK null");
    CHECK(answered_by(std::string("x\0y", 3), "\0\xFF"sv, "\0y"sv) == "OK null");
    CHECK(answered_by("", "PING\r\n", "") == "OK null");
    CHECK(answered_by(std::string(4000, 'x') + "here", "", "xhere") == "OK null");
    CHECK(answered_by("-ERR gr\xFC\xDF\r\n", "PING\r\n", "+PONG", true) ==
          error("expected bytes not found", "-ERR gr\xEF\xBF\xBD\xEF\xBF\xBD\\r\\n"));
    CHECK(answered_by("", "PING\r\n", "+PONG", true) == R"(ERROR {"message":"expected bytes not found"})");
    // It does not listen for ever.
    auto const much = answered_by(std::string(1000000, 'x') + "here", "", "here");
    CHECK(much.starts_with(R"(ERROR {"message":"expected bytes not found","extra":"xxx)"));
    CHECK(much.size() == 6 + tcp::outcome_type::capacity);

    odd_server const rude([](net::ip::tcp::socket& client) {
        char some[100];
        client.read_some(net::buffer(some));
        client.set_option(net::socket_base::linger(true, 0));
        client.close();
    });
    auto const address = "127.0.0.1:" + rude.port();
    CHECK(probe(tcp{.address = address.c_str(), .send = "PING", .expect = "PONG"}) ==
          error("connection error", "Connection reset by peer"));
}

TEST_CASE("tcp: one that says nothing, or not enough, is a TIMEOUT on time") {
    for (std::string const& said : {std::string(), std::string("hell")}) {
        odd_server const server([&](net::ip::tcp::socket& client) {
            net::write(client, net::buffer(said));
            odd_server::wait_for_end(client);
        });
        test::set_variable("GREETER_ADDRESS", ("127.0.0.1:" + server.port()));
        live<brisk> monitor;
        auto const found = monitor.wait_for(2);
        for (auto const& each : found) CHECK(each.status == status::timeout);
        CHECK(std::chrono::duration_cast<milliseconds>(found[0].time - monitor.started() - 200ms) <= prompt());
    }
}

TEST_CASE("tcp: 1,000 conversations leave nothing behind") {
    odd_server const server(odd_server::answer("+PONG\r\n"));
    auto const address = "127.0.0.1:" + server.port();
    probe_1000_times(tcp{.address = address.c_str(), .send = "PING\r\n", .expect = "PONG"}, "OK null");
    probe_1000_times(tcp{.address = "unix:/nowhere/socket"}, "ERROR");
}
