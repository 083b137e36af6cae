// SPDX-License-Identifier: BSL-1.0
// The job done with this library: SOURCES sources, half of them voltages and half of them devices on a bus.
#include "board.hpp"

#include <healthz.hpp>

using namespace std::chrono_literals;

struct supply {
    std::uint8_t channel;
    int lowest;

    healthz::outcome probe() const { return board_millivolts(channel) >= lowest ? healthz::ok() : healthz::error("voltage too low"); }
};

// It keeps nothing, so that it stays in flash.
#ifndef KEEPS_A_NUMBER
struct device {
    std::uint8_t address;

    void start() const { board_bus_ask(address); }
    std::optional<healthz::outcome> poll() const {
        int const answer = board_bus_answer(address);
        if (answer < 0) return std::nullopt;
        return answer == 0 ? healthz::ok() : healthz::error("bad answer", "the device on the bus says that it is \"ill\"");
    }
    void cancel() const { board_bus_release(address); }
};
#else
class device {
public:
    constexpr explicit device(std::uint8_t on_bus) : address_(on_bus) {}

    void start() {
        board_bus_ask(address_);
        polls_ = 0;
    }
    std::optional<healthz::outcome> poll() {
        int const answer = board_bus_answer(address_);
        ++polls_;
        if (answer < 0) return std::nullopt;
        return answer == 0 && polls_ < 1000 ? healthz::ok() : healthz::error("bad answer");
    }
    void cancel() { board_bus_release(address_); }

private:
    std::uint8_t address_;
    std::uint16_t polls_ = 0;
};
#endif

template <std::size_t Index>
constexpr char name_of[] = {'s', 'e', 'n', 's', 'o', 'r', ' ', '0' + Index / 10, '0' + Index % 10, '\0'};

template <std::size_t Index>
constexpr auto make_source() {
    constexpr healthz::health_check check{.interval = 1s, .timeout = 50ms, .retries = 1, .retry_interval = 100ms};
    if constexpr (Index % 2 == 0) return healthz::source<name_of<Index>>(supply{Index, 3000}, check);
    else return healthz::source<name_of<Index>>(device{Index}, check);
}
constexpr auto declare = []<std::size_t... Index>(std::index_sequence<Index...>) { return healthz::sources(make_source<Index>()...); };
constexpr auto sources = declare(std::make_index_sequence<SOURCES>());

constinit healthz::monitor<sources> monitor;

int main() {
    for (int i = 0; i < 6000; ++i) monitor.poll(board_ticks());
    healthz::write_json(monitor.report(), [](std::string_view piece) { board_write(piece.data(), piece.size()); });
    board_write("\n", 1);
    return 0;
}
