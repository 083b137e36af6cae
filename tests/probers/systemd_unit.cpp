// SPDX-License-Identifier: BSL-1.0
// systemd_unit where there is no bus, on odd ones, and on a real one without systemd. The step `systemd` has a real systemd.
#include <healthz/probers/systemd_unit.hpp>
#include "support.hpp"
#include "server_process.hpp"
#include "../environment.hpp"

using namespace test;
using healthz::env;
using healthz::status;
using healthz::systemd_unit;

namespace {

constexpr auto sources = healthz::sources(
    healthz::source<"unit">(systemd_unit{.unit = "x.service", .bus = env("UNIT_BUS")}, {.interval = 50ms, .timeout = 300ms, .retries = 0}));

std::string look(systemd_unit const& prober, milliseconds timeout = 60s) {
    auto const found = prober.probe(healthz::attempt{timeout});
    return std::string(to_string(found.status())) + " " + std::string(found.json());
}
std::string at(odd_server const& server) { return "tcp:host=127.0.0.1,port=" + server.port(); }

}  // namespace

TEST_CASE("systemd_unit: no bus, and settings that are none") {
    auto const on = [](char const* bus) { return look({.unit = "x.service", .bus = bus}); };
    CHECK(on("unix:path=/nowhere") == error("systemd cannot be asked", "unix:path=/nowhere: No such file or directory"));
    CHECK(on("unix:path=/\xE4") == error("systemd cannot be asked", "unix:path=/\uFFFD: No such file or directory"));
    CHECK(on("nonsense") == error("systemd cannot be asked", "nonsense: Connection refused"));
    CHECK(on("unix:pth=/nowhere") == R"(FAILED "the setting 'bus' is no address of a bus")");
    CHECK(on(nullptr) == R"(FAILED "the setting 'bus' is not set")");
    CHECK(look({.unit = env("UNIT_UNSET"), .bus = "unix:path=/nowhere"}) == R"(FAILED "environment variable 'UNIT_UNSET' not set")");
    CHECK(look({}) == R"(FAILED "the setting 'unit' is not set")");
    static_assert(systemd_unit{}.complaint() != nullptr && systemd_unit{.unit = "x.service", .bus = nullptr}.complaint() != nullptr);
    static_assert(systemd_unit{.unit = "x.service"}.complaint() == nullptr);
}

TEST_CASE("systemd_unit: a bus that hangs up, speaks another language, or is silent") {
    auto const on = [](odd_server const& server, milliseconds timeout) {
        return look({.unit = "x.service", .bus = at(server).c_str()}, timeout);
    };
    auto const unasked = [](odd_server const& server) {
        return R"(ERROR {"message":"systemd cannot be asked","extra":")" + at(server) + ": ";
    };
    odd_server hangs_up([](auto&) {});
    CHECK(on(hangs_up, 60s).starts_with(unasked(hangs_up)));
    odd_server stranger(odd_server::answer("AGREE_UNIX_FD\r\n" + std::string(100'000, 'x') + "\r\n"));
    CHECK(on(stranger, 60s).starts_with(unasked(stranger)));
    odd_server silent(odd_server::answer(""));
    CHECK(on(silent, 50ms) == "TIMEOUT null");
    CHECK(on(silent, 0ms) == "TIMEOUT null");
    test::set_variable("UNIT_BUS", at(silent));
    live<sources> monitor;
    CHECK(monitor.becomes(status::timeout));
    test::set_variable("UNIT_BUS", "unix:path=/nowhere");
    CHECK(monitor.becomes(status::error));
}

TEST_CASE("systemd_unit: a real bus on which there is no systemd") {
    server_process daemon("dbus");
    auto const address = "unix:path=" + daemon.path("bus");
    systemd_unit const prober{.unit = "x.service", .bus = address.c_str()};
    auto const wanted =
        error("systemd cannot be asked", "x.service: The name org.freedesktop.systemd1 was not provided by any .service files");
    daemon.write("configuration",
                 R"(<busconfig><type>session</type><listen>)" + address +
                     R"(</listen><policy context="default"><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>)");
    daemon.start({"/usr/bin/dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + daemon.path("configuration")},
                 [&] { return look(prober) == wanted; });
    auto const descriptors = open_descriptors();
    int as_wanted = 0;
    for (int i = 0; i < 300; ++i) as_wanted += look(prober) == wanted;
    CHECK(as_wanted == 300);
    CHECK(open_descriptors() == descriptors);

    daemon.kill();
    CHECK(look(prober) == error("systemd cannot be asked", address + ": Connection refused"));
}
