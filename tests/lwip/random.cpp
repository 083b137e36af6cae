// SPDX-License-Identifier: BSL-1.0
// Ten thousand lives of a device, from seeds: clients that ask, stop in the middle, do not read, close and reset, on a wire that loses,
// holds back and reorders, with too little memory at times. Whatever comes back is what the site says, and in the end nothing is held.
#include "board.hpp"

#include <list>
#include <optional>

using namespace board;
using simulated::client;
using simulated::network;
using simulated::run;
using fate = simulated::wire::fate;

namespace {

/// What clients send, with what is to come back; behind the last one of a connection nothing counts.
struct exchange {
    std::string sent, answer;
    bool is_last = false;
};
std::vector<exchange> exchanges() {
    std::string const body = request("/metrics");
    return {{request("/livez"), answer("/livez")},
            {request("/filler"), answer("/filler")},
            {request("/metrics"), answer("/metrics")},
            {request("/metrics", admin, "HEAD"), answer("/metrics", {}, "HEAD")},
            {request("/none"), answer("/none")},
            {request("/readyz", admin + "X-Other: " + std::string(700, 'x') + "\r\n"), answer("/readyz")},
            {"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", answer("/livez", keep)},
            {"GET /livez HTTP/1.0\r\n\r\n", answer("/livez", board::close), true},
            {request("/filler", board::close), answer("/filler", board::close), true},
            {request("/livez", "Content-Length: " + std::to_string(body.size()) + "\r\n") + body, answer("/livez", board::close), true},
            {"nonsense\r\n\r\n", refusal(healthz::answer::malformed), true},
            {request("/" + std::string(600, 'x')), refusal(healthz::answer::header_too_large), true}};
}

/// Random numbers that a seed says.
class dice {
public:
    explicit dice(std::uint32_t seed) : state_(seed * 2654435761u + 1) {}
    std::uint32_t operator()(std::uint32_t below) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>((state_ >> 33) % below);
    }

private:
    std::uint64_t state_;
};

/// A client and what it is to get.
struct one {
    client connection{80};
    std::string expected, unfinished;
    std::vector<std::size_t> ends{0};  // of the answers
    bool is_last = false;
    bool is_half = false;

    /// What came is what it was to be, as far as it came. A request that the wire or the client has kept back for too long is refused, and of
    /// one that was left unfinished enough may have come for an answer.
    bool is_right() const {
        std::string_view const got = connection.received;
        if ((expected + unfinished).starts_with(got)) return true;
        for (auto const end : ends)
            if ((expected.substr(0, end) + refusal(healthz::answer::timed_out)).starts_with(got)) return true;
        return false;
    }
};

struct totals {
    std::size_t connections = 0, whole = 0, wrong = 0, held = 0;
};

void live(std::uint32_t seed, std::vector<exchange> const& known, totals& sum) {
    dice roll(seed);
    std::list<one> all;
    std::optional<simulated::heap_taken> taken;
    auto const lossy = roll(3) == 0 ? roll(6) : 0, holding = roll(4) == 0 ? roll(4) : 0;
    network.takes = [&](simulated::frame const&) {
        if (lossy != 0 && roll(3 * lossy) == 0) return fate::drop;
        if (holding != 0 && roll(2 * holding) == 0) return fate::hold;
        return fate::pass;
    };
    for (auto steps = 5 + roll(25); steps > 0; --steps) {
        switch (roll(12)) {
            case 0:
            case 1:
                if (all.size() < 7) all.emplace_back();
                break;
            case 2: taken.emplace(roll(6000)); break;
            case 3: taken.reset(); break;
            case 4: roll(2) == 0 ? network.let_go() : network.let_go_in_reverse(); break;
            case 5: run(roll(10) == 0 ? 11000 : roll(3000), 50); break;
            default: {
                if (all.empty()) break;
                auto chosen = all.begin();
                std::advance(chosen, roll(static_cast<std::uint32_t>(all.size())));
                auto& c = *chosen;
                switch (roll(10)) {
                    case 0: c.connection.reset(); break;
                    case 1: c.connection.finish(); break;
                    case 2: c.connection.is_reading = false; break;
                    case 3: c.connection.read_all(); break;
                    default: {
                        if (c.is_last || c.is_half) break;
                        auto const& next = known[roll(static_cast<std::uint32_t>(known.size()))];
                        c.is_half = roll(10) == 0;
                        auto const size = c.is_half ? 1 + roll(static_cast<std::uint32_t>(next.sent.size() - 1)) : next.sent.size();
                        auto const text = std::string_view(next.sent).substr(0, size);
                        if (roll(8) == 0 && size < 200) c.connection.send_in_bytes(text);
                        else c.connection.send(text);
                        // Half of one may be enough: of what is refused as soon as it cannot be one, or what has a body.
                        if (c.is_half) c.unfinished = next.is_last ? next.answer : "";
                        else c.expected += next.answer;
                        c.ends.push_back(c.expected.size());
                        c.is_last = next.is_last;
                    }
                }
            }
        }
        run(roll(4) * 20, 20);
    }
    taken.reset();
    network.takes = nullptr;
    network.let_go();
    for (auto& each : all) each.connection.read_all();
    run(3000, 50);
    for (auto const& each : all) {
        ++sum.connections;
        if (!each.expected.empty() && each.connection.received == each.expected) ++sum.whole;
        if (each.is_right()) continue;
        ++sum.wrong;
        CAPTURE(seed);
        CHECK((each.connection.received == each.expected));
    }
    all.clear();
    run(25000, 100);
    if (simulated::held_by_lwip() == simulated::holdings{}) return;
    ++sum.held;
    CAPTURE(seed);
    CHECK(simulated::held_by_lwip().heap == 0);
    CHECK(simulated::held_by_lwip().connections == 0);
    CHECK(simulated::held_by_lwip().segments == 0);
    CHECK(simulated::held_by_lwip().references == 0);
    CHECK(simulated::held_by_lwip().buffers == 0);
}

}  // namespace

TEST_CASE("lwip: 10,000 lives from seeds") {
    scene const here;
    filler::size = 5000;
    auto const known = exchanges();
    constexpr std::uint32_t lives = 10000;
    totals sum;
    for (std::uint32_t seed = 1; seed <= lives && sum.wrong + sum.held < 5; ++seed) live(seed, known, sum);
    CHECK(sum.wrong == 0);
    CHECK(sum.held == 0);
    CHECK(sum.connections > 20000);
    CHECK(sum.whole > 5000);
}
