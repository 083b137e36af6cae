// SPDX-License-Identifier: BSL-1.0
// The health of a board on the wire: a superloop that checks its sources, answers curl, browsers and Prometheus over lwIP, and feeds the
// hardware watchdog as long as what it requires is well. No operating system, no heap but lwIP's own.
// For the board that QEMU calls mps2-an386 (Cortex-M4 at 25 MHz, LAN9118, CMSDK timer, UART and watchdog).
#include "lan9118.hpp"

#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/lwip/server.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <lwip/init.h>
#include <lwip/memp.h>
#include <lwip/stats.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

using namespace std::chrono_literals;

namespace {

// --- the hardware

constexpr std::uint32_t clock_mhz = 25;
std::uint32_t volatile& at(std::uintptr_t address) { return *reinterpret_cast<std::uint32_t volatile*>(address); }

// A timer that counts down at the clock's rate and wraps after 171 seconds, which the loop does not take.
class stopwatch {
public:
    void start() {
        at(0x40000008) = 0xFFFFFFFF;
        at(0x40000000) = 1;
        last_ = at(0x40000004);
    }
    void read() {
        auto const now = at(0x40000004);
        cycles_ += last_ - now;
        last_ = now;
        milliseconds_ += cycles_ / (clock_mhz * 1000);
        cycles_ %= clock_mhz * 1000;
    }
    std::uint32_t raw() const { return last_; }
    healthz::tick milliseconds() const { return milliseconds_; }

private:
    std::uint32_t last_ = 0, cycles_ = 0;
    healthz::tick milliseconds_ = 0;
};
constinit stopwatch uptime;

// SysTick without an interrupt. The loop does not need it; QEMU looks at its network at each tick, else twice a second.
void start_tick() {
    at(0xE000E014) = clock_mhz * 1000 - 1;
    at(0xE000E010) = 5;
}

// What the technician types on the serial line stands for what happens to the board.
constinit bool imu_is_alive = true;
void read_serial_line() {
    if ((at(0x40004004) & 2) == 0) return;
    auto const typed = static_cast<char>(at(0x40004000));
    if (typed == 'd') imu_is_alive = false;
    if (typed == 'a') imu_is_alive = true;
}

// The first end of the count is told by an interrupt that cannot be masked, the second resets the board.
constexpr auto reset_period = 4s;
void start_watchdog() {
    at(0x40008C00) = 0x1ACCE551;
    at(0x40008000) = clock_mhz * 1000000 * 2;
    at(0x40008008) = 3;
}
void feed_watchdog() { at(0x4000800C) = 1; }

// --- the sources

struct voltage_in_range {
    static constexpr std::string_view kind = "adc";
    int low, high;
    healthz::outcome probe() const {
        int const millivolts = 3300;
        return millivolts >= low && millivolts <= high ? healthz::ok() : healthz::error("supply voltage out of range");
    }
};

struct imu {
    static constexpr std::string_view kind = "i2c";
    healthz::tick asked = 0;
    void start() { asked = uptime.milliseconds(); }
    std::optional<healthz::outcome> poll() const {
        if (!imu_is_alive || uptime.milliseconds() - asked < 4) return std::nullopt;
        return healthz::ok();
    }
    void cancel() {}
};

// Adds up a block of the flash in each poll.
class flash_sum {
public:
    static constexpr std::string_view kind = "flash";
    void start() { block_ = sum_ = 0; }
    std::optional<healthz::outcome> poll() {
        auto const* word = reinterpret_cast<std::uint32_t const volatile*>(block_ * 1024);
        for (int i = 0; i < 256; ++i) sum_ += word[i];
        if (++block_ < 64) return std::nullopt;
        if (expected_ == 0) expected_ = sum_;
        return sum_ == expected_ ? healthz::ok() : healthz::error("flash content has changed");
    }
    void cancel() {}

private:
    std::uint32_t block_ = 0, sum_ = 0, expected_ = 0;
};

struct sd_card {
    static constexpr std::string_view kind = "spi";
    int chip_select;
    healthz::outcome probe() const {
        if (chip_select < 0) return healthz::failed("the setting 'chip_select' is not set");
        return healthz::ok();
    }
};

constexpr auto sources =
    healthz::sources(healthz::source<"supply">(voltage_in_range{.low = 3000, .high = 3600},
                                               {.interval = 500ms, .timeout = 5ms, .retries = 1, .retry_interval = 50ms}),
                     healthz::source<"imu">(imu{}, {.interval = 500ms, .timeout = 50ms, .retries = 1, .retry_interval = 50ms}),
                     healthz::source<"flash">(flash_sum{}, {.interval = 2s, .timeout = 500ms, .retries = 0}),
                     healthz::source<"sd card">(sd_card{.chip_select = -1}, {.interval = 5s, .timeout = 5ms, .retries = 0}));

constinit healthz::monitor<sources, healthz::recorded> monitor;
constinit healthz::watchdog<sources, reset_period, "supply", "imu"> watchdog;

// --- what is shown

constinit std::uint32_t longest_turn = 0;  // of the loop, in cycles

// A view of the board's own: how the loop and lwIP's memory are doing.
struct board_view {
    std::string_view path = "/board";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/plain; charset=utf-8")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 400;

    template <std::invocable<std::string_view> Sink>
    void write(healthz::open_data const&, healthz::view_request const&, Sink&& put) const {
        auto const line = [&put](std::string_view name, std::uint32_t value) {
            put(name);
            healthz::detail::put_number(value, put);
            put("\n");
        };
        line("uptime_milliseconds ", uptime.milliseconds());
        line("longest_turn_microseconds ", longest_turn / clock_mhz);
        line("heap_used ", lwip_stats.mem.used);
        line("heap_most_used ", lwip_stats.mem.max);
        line("segments_used ", lwip_stats.memp[MEMP_TCP_SEG]->used);
        line("buffers_used ", lwip_stats.memp[MEMP_PBUF_POOL]->used);
        line("connections_used ", lwip_stats.memp[MEMP_TCP_PCB]->used);
    }
};

constexpr auto shown = healthz::views(healthz::document{}, healthz::page{}, healthz::metrics{}, healthz::hello{}, healthz::live<"imu">{},
                                      healthz::ready<"supply", "imu">{}, healthz::startup{}, board_view{});
constexpr healthz::secret_digests<1> secret{{{
#include "secret_digest.inc"
}}};  // no more of it is in the image
using site = healthz::direct_site<sources, shown, secret>;

constinit healthz::lwip::server<site, monitor> server;
constinit netif ethernet{};

}  // namespace

extern "C" {

u32_t sys_now() { return uptime.milliseconds(); }

// For the numbers by which TCP begins, see lwipopts.h. A real device has a better source.
unsigned int board_random() {
    static constinit std::uint32_t state = 1;
    return state = state * 1664525 + 1013904223 + uptime.raw();
}

void nmi() {  // the watchdog's last warning: it resets the board when its time is up once more
    for (;;) {}
}
}

int main() {
    uptime.start();
    start_tick();
    at(0x40004008) = 2;  // the serial line receives
    start_watchdog();
    lwip_init();

    ip4_addr_t address, mask, gateway;  // those of QEMU's user network
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    if (netif_add(&ethernet, &address, &mask, &gateway, nullptr, lan9118::start, ethernet_input) == nullptr) return 1;
    netif_set_default(&ethernet);
    netif_set_up(&ethernet);
    if (server.listen(80) != ERR_OK) return 1;

    for (;;) {
        auto const began = uptime.raw();
        uptime.read();
        monitor.poll(uptime.milliseconds());
        if (watchdog.may_feed(monitor)) feed_watchdog();

        if (!server.poll(uptime.milliseconds())) lan9118::poll(ethernet, 1);
        sys_check_timeouts();

        read_serial_line();
        // ... what the device is for ...
        uptime.read();
        if (auto const turn = began - uptime.raw(); turn > longest_turn) longest_turn = turn;
    }
}
