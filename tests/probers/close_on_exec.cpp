// SPDX-License-Identifier: BSL-1.0
// No program that the process starts gets a connection of ours, which would keep it open.
#include <healthz/probers/http.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/tcp.hpp>
#include "mysql_server.hpp"
#include "nginx_server.hpp"
#include "support.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <fcntl.h>

#include <set>

using namespace test;

namespace {

using healthz::http;
using healthz::mysql;
using healthz::tcp;

std::set<int> descriptors() {
    std::set<int> found;
    for (auto const& each : std::filesystem::directory_iterator("/proc/self/fd")) found.insert(std::stoi(each.path().filename()));
    return found;
}

// What has been opened since, and how many of it are handed on.
struct opened_since {
    std::size_t all = 0, inherited = 0;

    explicit opened_since(std::set<int> const& before) {
        for (int const each : descriptors()) {
            int const flags = ::fcntl(each, F_GETFD);  // fails for the descriptor of the listing
            if (before.contains(each) || flags < 0) continue;
            ++all;
            inherited += (flags & FD_CLOEXEC) == 0;
        }
    }
};

}  // namespace

TEST_CASE("close on exec: connections that are kept") {
    mysql_server database;
    auto const page = nginx().https_url("right"), ca = nginx().file("ca.pem"), shop = database.url();
    healthz::http const web{.url = page.c_str(), .tls = {.ca_file = ca.c_str()}};
    mysql const db{.url = shop.c_str()};
    net::io_context context;
    auto const before = descriptors();
    healthz::http::session web_session(web);
    mysql::session db_session(db);
    CHECK(probe(context, web_session) == "OK null");
    CHECK(probe(context, db_session) == "OK null");
    opened_since const found(before);
    CHECK(found.all >= 2);
    CHECK(found.inherited == 0);
}

TEST_CASE("close on exec: connections that come about, or are talked over") {
    server_process const here("socket");
    net::io_context servers, context;
    net::local::stream_protocol::acceptor local(servers, net::local::stream_protocol::endpoint(here.path("socket")));
    net::ip::tcp::acceptor remote(servers, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
    full_backlog const full;
    // Nobody accepts them, so that none of what is open is the servers'.
    std::string const addresses[] = {"unix:" + here.path("socket"), "127.0.0.1:" + std::to_string(remote.local_endpoint().port()),
                                     "127.0.0.1:" + full.port()};
    auto const before = descriptors();
    tcp const probers[] = {{.address = addresses[0].c_str(), .expect = "x"},
                           {.address = addresses[1].c_str(), .expect = "x"},
                           {.address = addresses[2].c_str()}};
    for (auto const& each : probers) {
        auto task = [](tcp const& prober) -> net::awaitable<void> { co_await prober.probe(); };
        net::co_spawn(context, task(each), net::detached);
    }
    context.poll();
    opened_since const found(before);
    CHECK(found.all >= 3);
    CHECK(found.inherited == 0);
}
