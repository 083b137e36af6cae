// SPDX-License-Identifier: BSL-1.0
// The device of the tests: its sources, its views, servers of them, and what each answer is to be.
#pragma once

#include "../catch.hpp"
#include "network.hpp"

#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/lwip/server.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <string>
#include <string_view>

namespace board {

using namespace std::chrono_literals;

inline bool imu_is_well = true;
struct imu {
    static constexpr std::string_view kind = "i2c";
    healthz::outcome probe() const { return imu_is_well ? healthz::ok() : healthz::error("no <b>answer</b>", "on the bus"); }
};
struct supply {
    static constexpr std::string_view kind = "adc";
    healthz::outcome probe() const { return healthz::ok(); }
};
inline constexpr auto sources = healthz::sources(healthz::source<"imu">(imu{}, {.interval = 1s, .timeout = 100ms, .retries = 0}),
                                                 healthz::source<"a\"b\\é">(supply{}, {.interval = 1s, .timeout = 100ms, .retries = 0}));
inline constinit healthz::monitor<sources, healthz::recorded> monitor;

/// All of them are checked.
inline void check_sources() {
    static healthz::tick at = 0;
    monitor.poll(at += 2000);
}

/// So many bytes, in no order.
struct filler {
    std::string_view path = "/filler";
    static inline std::size_t size = 4000;
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/plain")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 100000;
    template <std::invocable<std::string_view> Sink>
    void write(healthz::open_data const&, healthz::view_request const&, Sink&& put) const {
        std::uint32_t state = 1;
        for (std::size_t i = 0; i < size; ++i) {
            state = state * 1664525 + 1013904223;
            char const each = static_cast<char>('!' + (state >> 24) % 93);
            put(std::string_view(&each, 1));
        }
    }
};
inline constexpr auto views = healthz::views(healthz::document{}, healthz::page{}, healthz::metrics{}, healthz::hello{},
                                             healthz::live<"imu">{}, healthz::ready<>{}, healthz::startup{}, filler{});
inline constexpr healthz::secret_digests<1> secret{{healthz::sha256("Vq8zKw3x")}};
using site = healthz::direct_site<sources, views, secret>;

inline constinit healthz::lwip::server<site, monitor, 4, 512> server;  // at port 80
inline constinit healthz::lwip::server<site, monitor, 1, 128> narrow;  // at port 81: for one client, whose request is short

inline constexpr healthz::lwip::limits long_time{.request_time = healthz::lwip::default_limits.request_time, .answer_time = 10min};
inline constinit healthz::lwip::server<site, monitor, 4, 512, long_time> patient;  // at port 82

inline constexpr std::string_view host = "Host: board\r\n", admin = "X-Hasura-Admin-Secret: Vq8zKw3x\r\n",
                                  bearer = "Authorization: Bearer Vq8zKw3x\r\n", basic = "Authorization: Basic bWU6VnE4ekt3M3g=\r\n";

inline std::string operator+(std::string_view a, std::string_view b) { return std::string(a).append(b); }

/// A request of HTTP/1.1.
inline std::string request(std::string_view path, std::string_view fields = admin, std::string_view method = "GET") {
    return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\n" + std::string(host) + std::string(fields) + "\r\n";
}

/// What the site says to a request, in full.
inline std::string written(healthz::direct_answer const& a, std::string_view fields = {}) {
    std::string text;
    site::write_response(
        a, monitor, [&text](std::string_view piece) { text += piece; }, fields);
    return text;
}
inline constexpr std::string_view close = "Connection: close\r\n", keep = "Connection: keep-alive\r\n";

/// To the admin's GET or HEAD of `target`.
inline std::string answer(std::string_view target, std::string_view fields = {}, std::string_view method = "GET") {
    healthz::site_request asked{.method = method, .path = healthz::path_of(target), .query = healthz::detail::text_after(target, '?')};
    asked.admin_secret = "Vq8zKw3x";
    return written(site::answer_to(asked, monitor), fields);
}
/// Where there was no request.
inline std::string refusal(healthz::answer how) { return written(site::refusal(how), close); }

/// What a test begins and ends with: the servers listen, the sources were checked, and nothing happens on the wire by itself; when all
/// connections have ended, lwIP holds nothing.
struct scene {
    scene() {
        simulated::start();
        static bool const listens = server.listen(80) == ERR_OK && narrow.listen(81) == ERR_OK && patient.listen(82) == ERR_OK;
        CHECK(listens);
        imu_is_well = true;
        filler::size = 4000;
        simulated::on_turn = [](healthz::tick now) {
            server.poll(now);
            narrow.poll(now);
            patient.poll(now);
        };
        check_sources();
        simulated::run(100);
    }
    ~scene() {
        simulated::network.takes = nullptr;
        simulated::network.held.clear();
        simulated::run(30000, 50);
        auto const held = simulated::held_by_lwip();
        CHECK(held.heap == 0);
        CHECK(held.connections == 0);
        CHECK(held.segments == 0);
        CHECK(held.references == 0);
        CHECK(held.buffers == 0);
    }
    scene(scene const&) = delete;
    scene& operator=(scene const&) = delete;
};

}  // namespace board
