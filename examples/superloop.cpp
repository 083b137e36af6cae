// SPDX-License-Identifier: BSL-1.0
// A superloop that watches its devices: no heap, no operating system, no exceptions. The same file runs on a desk and on a
// Cortex-M; time and devices are simulated, and after five seconds it writes one document and ends.
#include <healthz.hpp>

#ifdef __arm__
extern "C" void board_write(char const* text, std::size_t size);  // a board sends this to its UART
#else
#include <cstdio>
static void board_write(char const* text, std::size_t size) { std::fwrite(text, 1, size, stdout); }
#endif

using namespace std::chrono_literals;

// The hardware, or what stands for it.
static healthz::tick ticks = 0xFFFFF800;  // milliseconds, as SysTick counts them; they wrap two seconds from now
static std::uint8_t volatile imu_who_am_i = 0x68;
static int volatile flash_bad_blocks = 7;
static healthz::tick volatile modem_answers_after = 12;

// Immediate probers answer at once: reading a register does not take long.
struct imu {
    std::uint8_t expected;

    healthz::outcome probe() const {
        return imu_who_am_i == expected ? healthz::ok() : healthz::error("no inertial unit on the bus");
    }
};

constexpr auto flash = [] {
    int const bad = flash_bad_blocks;
    if (bad < 4) return healthz::ok();
    char const count = static_cast<char>('0' + bad % 10);
    return healthz::error("too many bad blocks", healthz::json_text{{&count, 1}});
};

// Cooperative probers must wait for an answer: they begin, are asked whether it is there, and are cancelled if it is late.
class modem {
public:
    void start() { asked_ = ticks; }
    std::optional<healthz::outcome> poll() {
        if (ticks - asked_ < modem_answers_after) return std::nullopt;
        return healthz::ok();
    }
    void cancel() {}

private:
    healthz::tick asked_ = 0;
};

class gps {
public:
    void start() {}
    std::optional<healthz::outcome> poll() { return std::nullopt; }  // its antenna is unplugged
    void cancel() {}
};

constexpr auto sources = healthz::sources(
    healthz::source<"imu">(imu{.expected = 0x68},
                           {.interval = 1s, .timeout = 20ms, .retries = 1, .retry_interval = 100ms}),
    healthz::source<"flash">(flash, {.interval = 2s, .timeout = 20ms, .retries = 0}),
    healthz::source<"modem">(modem{}, {.interval = 1s, .timeout = 50ms, .retries = 2, .retry_interval = 10ms}),
    healthz::source<"gps">(gps{}, {.interval = 2s, .timeout = 100ms, .retries = 1, .retry_interval = 50ms}),
    healthz::source<"sd card">([] { return healthz::failed("no card in the slot"); },
                               {.interval = 2s, .timeout = 20ms, .retries = 0}));

static_assert(healthz::worst_case_detection<sources>() <= 2500ms);

// All memory there is: nothing is constructed at run time.
constinit healthz::monitor<sources> monitor;
static_assert(sizeof(monitor) <= 1024);

static char body[healthz::max_json_size<sources>];

int main() {
    for (auto const end = ticks + 5000; ticks != end; ++ticks) {
        monitor.poll(ticks);
        // ... what the device is for ...
    }
    auto const json = healthz::write_json(monitor.report(), body);
    board_write(json.data(), json.size());
    board_write("\n", 1);
    return monitor.report().pending() == 0 ? 0 : 1;
}
