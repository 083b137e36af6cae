// SPDX-License-Identifier: BSL-1.0
// The same job done by hand in plain C++: a table of settings, a struct of state for each source, a loop, and snprintf.
#include "board.hpp"

#include <cstdio>
#include <cstring>

namespace {

enum class status : std::uint8_t { ok, timeout, error };
constexpr char const* status_words[] = {"OK", "TIMEOUT", "ERROR"};

struct state {
    std::uint32_t due;         // of the next attempt, or the deadline of the one that runs
    std::uint32_t next_check;  // on the grid of the interval
    std::uint32_t seconds;     // of the last verdict
    std::uint16_t milliseconds;
    std::uint8_t attempt;
    bool running;
    bool known;
    status result;
    char message[48];
    char extra[80];
};

enum class progress : std::uint8_t { pending, good, bad };

struct settings {
    char const* name;
    void (*start)(std::uint8_t address);  // null where poll answers at once
    progress (*poll)(std::uint8_t address, state& s);
    void (*cancel)(std::uint8_t address);
    std::uint32_t interval, timeout, retry_interval;
    std::uint8_t retries;
    std::uint8_t address;
};

void set_text(state& s, char const* message, char const* extra) {
    std::snprintf(s.message, sizeof s.message, "%s", message);
    std::snprintf(s.extra, sizeof s.extra, "%s", extra);
}

progress read_supply(std::uint8_t channel, state& s) {
    if (board_millivolts(channel) >= 3000) return progress::good;
    set_text(s, "voltage too low", "");
    return progress::bad;
}

[[maybe_unused]] progress poll_device(std::uint8_t address, state& s) {
    int const answer = board_bus_answer(address);
    if (answer < 0) return progress::pending;
    if (answer == 0) return progress::good;
    set_text(s, "bad answer", "the device on the bus says that it is \"ill\"");
    return progress::bad;
}

#define SUPPLY(n) {"sensor " #n, nullptr, read_supply, nullptr, 1000, 50, 100, 1, 1##n - 100},
#define DEVICE(n) {"sensor " #n, board_bus_ask, poll_device, board_bus_release, 1000, 50, 100, 1, 1##n - 100},
// clang-format off
constexpr settings sources[] = {
    SUPPLY(00)
#if SOURCES > 1
    DEVICE(01) SUPPLY(02) DEVICE(03)
#endif
#if SOURCES > 4
    SUPPLY(04) DEVICE(05) SUPPLY(06) DEVICE(07) SUPPLY(08) DEVICE(09) SUPPLY(10) DEVICE(11) SUPPLY(12) DEVICE(13)
    SUPPLY(14) DEVICE(15)
#endif
#if SOURCES > 16
    SUPPLY(16) DEVICE(17) SUPPLY(18) DEVICE(19) SUPPLY(20) DEVICE(21) SUPPLY(22) DEVICE(23) SUPPLY(24) DEVICE(25)
    SUPPLY(26) DEVICE(27) SUPPLY(28) DEVICE(29) SUPPLY(30) DEVICE(31) SUPPLY(32) DEVICE(33) SUPPLY(34) DEVICE(35)
    SUPPLY(36) DEVICE(37) SUPPLY(38) DEVICE(39) SUPPLY(40) DEVICE(41) SUPPLY(42) DEVICE(43) SUPPLY(44) DEVICE(45)
    SUPPLY(46) DEVICE(47) SUPPLY(48) DEVICE(49) SUPPLY(50) DEVICE(51) SUPPLY(52) DEVICE(53) SUPPLY(54) DEVICE(55)
    SUPPLY(56) DEVICE(57) SUPPLY(58) DEVICE(59) SUPPLY(60) DEVICE(61) SUPPLY(62) DEVICE(63)
#endif
};
// clang-format on
static_assert(sizeof sources / sizeof *sources == SOURCES);
state states[SOURCES];

bool started;
std::uint32_t last, uptime_seconds, uptime_milliseconds;

bool reached(std::uint32_t now, std::uint32_t moment) { return static_cast<std::int32_t>(now - moment) >= 0; }

void end_attempt(settings const& source, state& s, status result, std::uint32_t now) {
    s.running = false;
    if (result != status::ok && s.attempt < source.retries) {
        ++s.attempt;
        s.due = now + source.retry_interval;
        return;
    }
    s.attempt = 0;
    while (reached(now, s.next_check)) s.next_check += source.interval;
    s.due = s.next_check;
    s.known = true;
    s.result = result;
    s.seconds = uptime_seconds;
    s.milliseconds = static_cast<std::uint16_t>(uptime_milliseconds);
}

void poll(std::uint32_t now) {
    if (!started) {
        started = true;
        last = now;
        for (std::uint32_t i = 0; i < SOURCES; ++i) {
            states[i].due = now + i;
            states[i].next_check = i == 0 ? states[i].due : now + sources[i].interval * i / SOURCES;
        }
    }
    uptime_milliseconds += now - last;
    uptime_seconds += uptime_milliseconds / 1000;
    uptime_milliseconds %= 1000;
    last = now;
    for (int i = 0; i < SOURCES; ++i) {
        auto const& source = sources[i];
        auto& s = states[i];
        bool const due = reached(now, s.due);
        if (!s.running) {
            if (!due) continue;
            s.running = true;
            s.due = now + source.timeout;
            if (source.start) source.start(source.address);
        }
        switch (source.poll(source.address, s)) {
            case progress::good: end_attempt(source, s, status::ok, now); break;
            case progress::bad: end_attempt(source, s, status::error, now); break;
            case progress::pending:
                if (!reached(now, s.due)) break;
                source.cancel(source.address);
                end_attempt(source, s, status::timeout, now);
        }
    }
}

void put(char const* text) { board_write(text, std::strlen(text)); }

void put_escaped(char const* text) {
    for (; *text != '\0'; ++text) {
        char unit[8] = {*text};
        switch (*text) {
            case '"':
            case '\\': std::snprintf(unit, sizeof unit, "\\%c", *text); break;
            case '\b': std::strcpy(unit, "\\b"); break;
            case '\f': std::strcpy(unit, "\\f"); break;
            case '\n': std::strcpy(unit, "\\n"); break;
            case '\r': std::strcpy(unit, "\\r"); break;
            case '\t': std::strcpy(unit, "\\t"); break;
            default:
                if (static_cast<unsigned char>(*text) < 0x20) std::snprintf(unit, sizeof unit, "\\u%04x", static_cast<unsigned>(*text));
        }
        put(unit);
    }
}

// Howard Hinnant's days to civil date, for dates from 1970 on.
void put_timestamp(std::uint32_t seconds, unsigned milliseconds) {
    unsigned const days = seconds / 86400 + 719468;
    unsigned const era = days / 146097, of_era = days % 146097;
    unsigned const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned const shifted = (5 * of_year + 2) / 153;
    unsigned const day = of_year - (153 * shifted + 2) / 5 + 1;
    unsigned const month = shifted < 10 ? shifted + 3 : shifted - 9;
    unsigned const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    unsigned const of_day = seconds % 86400;
    char text[80];
    std::snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03u000000Z", year, month, day, of_day / 3600, of_day / 60 % 60,
                  of_day % 60, milliseconds);
    put(text);
}

void write_document() {
    bool first = true;
    for (int i = 0; i < SOURCES; ++i) {
        auto const& s = states[i];
        if (!s.known) continue;
        put(first ? "{\"" : ",\"");
        put_escaped(sources[i].name);
        put("\":{\"error\":");
        if (s.result == status::error) {
            put("{\"message\":\"");
            put_escaped(s.message);
            if (s.extra[0] != '\0') {
                put("\",\"extra\":\"");
                put_escaped(s.extra);
            }
            put("\"}");
        } else {
            put("null");
        }
        put(",\"status\":\"");
        put(status_words[static_cast<int>(s.result)]);
        put("\",\"timestamp\":\"");
        put_timestamp(s.seconds, s.milliseconds);
        put("\"}");
        first = false;
    }
    put(first ? "{}" : "}");
}

}  // namespace

int main() {
    for (int i = 0; i < 6000; ++i) poll(board_ticks());
    write_document();
    put("\n");
}
