// SPDX-License-Identifier: BSL-1.0
// Settings of any text, from the declaration, the environment and a file, with a number in them or without: the text as it is, or a sentence; and
// what is made of such texts: addresses, the numbers and the lines of systemd, secrets.
#include "fuzz.hpp"

#include <healthz/hosted/admin_secret.hpp>
#include <healthz/hosted/passed_sockets.hpp>
#include <healthz/hosted/systemd.hpp>
#include <healthz/net/host_and_port.hpp>

#include <arpa/inet.h>
#include <sys/mman.h>

#include <algorithm>

namespace {

constexpr char const* variable = "HEALTHZ_FUZZ_7";

// A file in memory, at a path; with this text.
class memory_file {
public:
    memory_file() : descriptor_(::memfd_create("setting", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {}
    char const* holding(std::string_view text) {
        fuzz::require(::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, text.data(), text.size(), 0) >= 0, "a file is written");
        return path_.c_str();
    }

private:
    int descriptor_;
    std::string path_;
};

std::string with_number(std::string_view text, std::string_view number) {
    std::string result;
    for (char const c : text) (c == '#' ? result += number : result += c);
    return result;
}

// A setting has its text, or there is a sentence on it which does not show it.
void check_read(healthz::setting const& from, std::optional<std::string_view> expected) {
    std::string problem;
    auto const found = from.read("it", problem);
    fuzz::require(found == expected, "a setting has its text");
    fuzz::require(found.has_value() == problem.empty(), "a setting without a text has a sentence");
}

void check_settings(std::string const& text) {
    static memory_file file;
    bool const is_text = text.find('\0') == text.npos;
    auto const or_nothing = [](std::string_view value) { return value.empty() ? std::nullopt : std::optional(value); };

    std::string line = text;  // of a file, one line break at its end is none of the value
    if (line.ends_with('\n')) line.pop_back();
    if (line.ends_with('\r')) line.pop_back();
    check_read(healthz::file(file.holding(text)), is_text ? or_nothing(line) : std::nullopt);
    auto const digest = healthz::detail::read_digest(healthz::file(file.holding(text)));
    fuzz::require(digest.known.has_value() == digest.problem.empty(), "a secret is known, or there is a sentence");
    fuzz::require(!digest.known || *digest.known == healthz::sha256(line), "a secret is the text of its setting");
    if (!is_text) return;

    check_read(text.c_str(), or_nothing(text));
    ::setenv(variable, text.c_str(), 1);
    healthz::read_environment();
    check_read(healthz::env(variable, "other"), or_nothing(text));
    if (text.find('#') == text.npos) return;
    auto const filled = with_number(text, "7");
    check_read(healthz::setting(text.c_str()).with_number(7), filled);
    check_read(healthz::setting(healthz::env("HEALTHZ_FUZZ_#", "other")).with_number(7), text);
    check_read(healthz::setting(healthz::env("HEALTHZ_NONE_#", text.c_str())).with_number(7), filled);
    check_read(healthz::setting(healthz::file("/nowhere/#", text.c_str())).with_number(7), filled);
}

void check_address(std::string_view text) {
    auto const where = healthz::detail::host_and_port::parse(text);
    if (!where) {
        // What is an IPv4 address and a port is one.
        auto const colon = std::min(text.size(), text.find(':'));
        in_addr address{};
        bool const is_v4 = ::inet_pton(AF_INET, std::string(text.substr(0, colon)).c_str(), &address) == 1 && text.find('\0') == text.npos;
        auto const port = healthz::detail::whole_number(text.substr(std::min(text.size(), colon + 1)));
        fuzz::require(!is_v4 || !port || *port == 0 || *port > 65535, "an address of IPv4 is one");
        return;
    }
    bool const is_v6 = where->host.find(':') != where->host.npos;
    auto const number = healthz::detail::whole_number(where->port);
    fuzz::require(number && *number > 0 && *number < 65536 && !where->host.empty(), "an address has a host and a port");
    fuzz::require((is_v6 ? "[" + where->host + "]" : where->host) + ":" + where->port == text, "an address says what it said");
}

void check_number(std::string const& text) {
    auto const found = healthz::detail::whole_number(text);
    bool const has_digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    errno = 0;
    auto const expected = has_digits ? std::strtoull(text.c_str(), nullptr, 10) : 0;
    fuzz::require(found.has_value() == (has_digits && errno == 0), "a number is digits, and not too long");
    fuzz::require(!found || *found == expected, "a number is the one that is written");
}

// What systemd is told is one line, whatever the sources are called.
void check_status(std::string_view text) {
    std::vector<healthz::detail::told_source> sources;
    for (std::size_t i = 0; i < text.size() && sources.size() < 40; i += 25) {
        auto const c = static_cast<unsigned char>(text[i]);
        healthz::detail::told_source one{text.substr(i, 100)};
        if (c % 5 < 4) one.status = static_cast<healthz::status>(c % 4);
        one.off = c % 7 == 0;
        one.maintenance = c % 11 == 0;
        one.since = {std::int64_t{c} * 10'000'000, 0};
        sources.push_back(one);
    }
    auto const line = healthz::detail::status_line(sources);
    fuzz::require(line.size() <= 1100 && healthz::detail::is_utf8(line), "a status is a short text");
    for (std::size_t i = 0; i < line.size(); ++i) {
        auto const c = static_cast<unsigned char>(line[i]);
        bool const is_c1 = c == 0xC2 && static_cast<unsigned char>(line[i + 1]) < 0xA0;
        fuzz::require(c >= 0x20 && c != 0x7F && !is_c1, "a status is one line");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(fuzz::text_of(data, size));
    check_settings(text);
    check_address(text);
    check_number(text);
    check_status(text);
    return 0;
}
