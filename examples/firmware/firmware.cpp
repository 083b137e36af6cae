// SPDX-License-Identifier: BSL-1.0
// The health of a board, as its superloop watches it: no heap, no operating system, no exceptions. This file runs on a
// Cortex-M and on the host, and writes the same output on both: time and devices are simulated. Each line is a JSON document.
#include <healthz.hpp>

#ifdef __arm__
extern "C" void board_write(char const* text, std::size_t size);
#else
#include <cstdio>
static void board_write(char const* text, std::size_t size) { std::fwrite(text, 1, size, stdout); }
#endif

using namespace std::chrono_literals;

namespace {

// --- the hardware, or what stands for it

constexpr healthz::tick first_tick = 0u - 700;
healthz::tick volatile ticks = first_tick;  // milliseconds, as SysTick counts them: they wrap 0.7 s from now
healthz::tick uptime() { return ticks - first_tick; }
healthz::timestamp real_time() { return {1660037525 + uptime() / 1000, uptime() % 1000 * 1000000}; }

int supply_millivolts() { return 3300; }
bool imu_has_answered(healthz::tick asked) { return ticks - asked >= 4; }
bool modem_is_alive() { return uptime() < 3000 || uptime() >= 8000; }
bool flash_is_good() { return uptime() < 2500 || uptime() >= 6350; }  // again in the middle of a check
constexpr int no_pin = -1;

// The hardware watchdog, and the timer interrupt that feeds it when the loop asks for it.
constexpr auto reset_period = 2s;
bool volatile feed_requested = false;  // the loop sets it, the interrupt clears it
healthz::tick fed_at = first_tick;
int feeds = 0;
bool watchdog_has_expired() { return ticks - fed_at >= std::chrono::milliseconds(reset_period).count(); }

void timer_interrupt() {
    ticks = ticks + 1;
    if (!feed_requested) return;
    feed_requested = false;
    fed_at = ticks;
    ++feeds;
}

// --- the probers

// Immediate: a converter is read at once.
struct voltage_in_range {
    int low, high;

    healthz::outcome probe() const {
        int const millivolts = supply_millivolts();
        return millivolts >= low && millivolts <= high ? healthz::ok() : healthz::error("supply voltage out of range");
    }
};

// Cooperative: the question goes over a bus, the answer comes some polls later.
class imu {
public:
    void start() { asked_ = ticks; }
    std::optional<healthz::outcome> poll() {
        if (!imu_has_answered(asked_)) return std::nullopt;
        return healthz::ok();
    }
    void cancel() {}

private:
    healthz::tick asked_ = 0;
};

// One that keeps nothing stays in flash as a whole: its members are const.
struct modem {
    void start() const {}
    std::optional<healthz::outcome> poll() const {
        if (!modem_is_alive()) return std::nullopt;
        return healthz::ok();
    }
    void cancel() const {}
};

// A long test, a block a poll.
class flash_self_test {
public:
    void start() { blocks_ = 0; }
    std::optional<healthz::outcome> poll() {
        if (++blocks_ < 8) return std::nullopt;
        if (flash_is_good()) return healthz::ok();
        return healthz::error("flash self-test failed", healthz::json_text{R"({"block":7,"expected":165,"read":164})"});
    }
    void cancel() {}

private:
    int blocks_ = 0;
};

struct sd_card {
    int chip_select;

    void start() const {}
    std::optional<healthz::outcome> poll() const {
        if (chip_select == no_pin) return healthz::failed("the setting 'chip_select' is not set");
        return healthz::ok();
    }
    void cancel() const {}
};

// --- the monitor

// clang-format off
constexpr auto sources = healthz::sources(
    healthz::source<"supply">(voltage_in_range{.low = 3000, .high = 3600},
                              {.interval = 500ms, .timeout = 5ms, .retries = 1, .retry_interval = 20ms}),
    healthz::source<"imu">(imu{}, {.interval = 1s, .timeout = 20ms, .retries = 1, .retry_interval = 100ms}),
    healthz::source<"modem">(modem{}, {.interval = 2s, .timeout = 200ms, .retries = 1, .retry_interval = 100ms}),
    healthz::source<"flash">(flash_self_test{}, {.interval = 2s, .timeout = 50ms, .retries = 2, .retry_interval = 50ms}),
    healthz::source<"sd card">(sd_card{.chip_select = no_pin}, {.interval = 5s, .timeout = 50ms}));
// clang-format on

static_assert(healthz::worst_case_detection<sources, "imu">() == 1160ms);
static_assert(healthz::max_starts_per_tick<sources> == 1);
static_assert(healthz::ram_size<sources, healthz::past<2>> <= 2500);
constexpr auto modem_index = healthz::index_of<sources, "modem">();
constexpr auto flash_index = healthz::index_of<sources, "flash">();
constexpr auto card_index = healthz::index_of<sources, "sd card">();

// All memory that there is: nothing is constructed at run time, and nothing is in the image.
constinit healthz::monitor<sources, healthz::past<2>> monitor;  // and the two verdicts of each source before the latest
constinit healthz::watchdog<sources, reset_period, "supply", "imu"> watchdog;

// --- what is written

void put(std::string_view text) { board_write(text.data(), text.size()); }

void put(std::uint32_t number) {
    char digits[10];
    char* begin = digits + sizeof digits;
    do *--begin = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    put(std::string_view(begin, static_cast<std::size_t>(digits + sizeof digits - begin)));
}

void put_field(std::string_view name, std::uint32_t number) {
    put(name);
    put(number);
}

void put_document() {
    healthz::write_json(monitor.report(), [](std::string_view piece) { put(piece); });
    put("\n");
}

void put_timetable() {
    put_field(R"({"max_starts_per_tick":)", healthz::max_starts_per_tick<sources>);
    put(R"(,"timetable":{)");
    for (auto const& row : healthz::timetable<sources>) {
        put(&row == healthz::timetable<sources>.data() ? "\"" : ",\"");
        put(row.name);
        put_field(R"(":{"first":)", row.first);
        put_field(R"(,"second":)", row.second);
        put_field(R"(,"interval":)", row.interval);
        put_field(R"(,"worst_case_detection":)", row.worst_case_detection);
        put("}");
    }
    put("}}\n");
}

// What an HTTP server of one's own does with a request: the endpoint's decisions, and every byte of the response. Here they
// become a JSON string.
constexpr healthz::secret_digests<1> secret{{healthz::sha256("open sesame")}};  // no more than the digest is in the image

void put_response(healthz::endpoint_request const& request) {
    auto const answer = healthz::respond(request, monitor.report(), secret);
    put(R"({"response":")");
    healthz::write_response(answer, monitor.report(), [](std::string_view piece) {
        char escaped[256];
        auto* const end = healthz::escape_json(piece, escaped, escaped + sizeof escaped);
        put({escaped, static_cast<std::size_t>(end - escaped)});
    });
    put("\"}\n");
}

void put_past(std::size_t index) {
    put(R"({"past":{"source":")");
    put(monitor.report().view().key(index));
    put(R"(","verdicts":[)");
    for (std::size_t age = 3; age-- > 0;)
        if (auto const v = monitor.past(index, age)) {
            healthz::write_verdict(*v, [](std::string_view piece) { put(piece); });
            put(age > 0 ? "," : "");
        }
    put("]}}\n");
}

// A number that changes when a status does.
std::uint32_t signature() {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < monitor.report().size(); ++i) {
        auto const v = monitor.report()[i];
        sum = sum * 8 + (v ? 1 + static_cast<std::uint32_t>(v->status) : 0);
    }
    return sum;
}

}  // namespace

int main() {
    put_timetable();
    bool timed_out = false, failed_test = false;
    std::uint32_t shown = 0;
    for (; uptime() < 10000; timer_interrupt()) {
        monitor.poll(ticks, real_time());
        if (watchdog.may_feed(monitor)) feed_requested = true;
        // ... what the device is for ...

        if (signature() == shown) continue;
        shown = signature();
        put_document();
        timed_out |= monitor.report().is(modem_index, healthz::status::timeout);
        failed_test |= monitor.report().is(flash_index, healthz::status::error);
    }
    bool const fed = !watchdog_has_expired();

    put_response({.method = "GET", .target = "/healthz/sources", .role = "admin", .admin_secret = "open sesame"});
    put_response({.method = "GET", .target = "/healthz/sources?strict=true", .admin_secret = "open sesame"});
    put_response({.method = "GET", .target = "/healthz/sources", .admin_secret = "open barley"});
    put_past(flash_index);

    // The loop hangs; the timer interrupt does not, and the clock goes on. Feeding is no longer requested, so the watchdog expires.
    auto const hung_at = uptime();
    int const feeds_until_then = feeds;
    while (!watchdog_has_expired() && uptime() < hung_at + 10000) timer_interrupt();
    put_field(R"({"watchdog":{"feeds":)", static_cast<std::uint32_t>(feeds));
    put_field(R"(,"loop_hung_at":)", hung_at);
    put_field(R"(,"expired_at":)", uptime());
    put("}}\n");

    using healthz::status;
    auto const& report = monitor.report();
    bool const as_expected = timed_out && failed_test && report.count(status::ok) == 4 && report.is(card_index, status::failed) && fed &&
                             feeds_until_then >= 8 && feeds <= feeds_until_then + 1 && watchdog_has_expired();
    return as_expected ? 0 : 1;
}
