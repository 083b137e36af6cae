// SPDX-License-Identifier: BSL-1.0
// What happens where lwIP has too little memory, and where the wire loses.
#include "board.hpp"

#include <list>
#include <optional>

#include <lwip/memp.h>
#include <lwip/stats.h>

using namespace board;
using simulated::client;
using simulated::network;
using simulated::run;
using simulated::run_until;
using fate = simulated::wire::fate;

TEST_CASE("lwip: answers wait for memory that others give back") {
    scene const here;
    filler::size = 12000;
    std::list<client> all;
    for (int i = 0; i < 4; ++i) all.emplace_back(80).is_reading = false;
    run(100);
    for (auto& each : all) each.send(request("/filler"));
    run(1000);
    std::size_t waiting = 0;
    for (auto& each : all) waiting += each.received.empty();
    CHECK(waiting > 0);
    CHECK(waiting < 4);
    for (auto& each : all) each.read_all();
    run(5000);
    for (auto& each : all) CHECK((each.received == answer("/filler")));
}

TEST_CASE("lwip: who does not take its answer has a second where another one waits for the memory") {
    scene const here;
    filler::size = 12000;
    std::list<client> slow;
    for (int i = 0; i < 3; ++i) slow.emplace_back(80).is_reading = false;
    run(100);
    for (auto& each : slow) each.send(request("/filler"));
    run(200);
    client honest(80);
    honest.send(request("/filler"));
    run(1500);
    CHECK((honest.received == answer("/filler")));
}

TEST_CASE("lwip: as many answers as the heap holds can also be sent") {
    for (std::size_t size = 4000; size < 12000; size += 250) {
        CAPTURE(size);
        scene const here;
        filler::size = size;
        std::list<client> all;
        for (int i = 0; i < 4; ++i) all.emplace_back(80);
        run(100);
        for (auto& each : all) each.send(request("/filler"));
        run(5000);
        for (auto& each : all) CHECK((each.received == answer("/filler")));
    }
}

TEST_CASE("lwip: an answer for which there can be no room ends its connection at once") {
    scene const here;
    for (int const size : {MEM_SIZE, 70000}) {
        CAPTURE(size);
        filler::size = static_cast<std::size_t>(size);
        client c(80);
        c.send(request("/filler"));
        run(100);
        CHECK(c.is_broken);
        CHECK(c.received.empty());
    }
    client c(80);
    c.send(request("/filler", admin, "HEAD"));  // whose body takes none
    run(100);
    CHECK((c.received == answer("/filler", {}, "HEAD")));
}

TEST_CASE("lwip: where others have all of the heap, a connection ends at once, and the next one is answered") {
    scene const here;
    {
        client c(80);
        run(100);
        std::optional<simulated::heap_taken> taken;
        network.takes = [&taken](simulated::frame const& one) {
            if (one.from_client() && one.payload_size() > 0 && !taken) taken.emplace(0);
            return fate::pass;
        };
        c.send(request("/livez"));
        run(100);
        CHECK(taken);
        CHECK(c.received.empty());
        network.takes = nullptr;
    }
    client c(80);
    c.send(request("/livez"));
    CHECK(run_until([&] { return c.received == answer("/livez"); }));
}

TEST_CASE("lwip: where lwIP has few segments, answers take longer") {
    scene const here;
    filler::size = 9000;
    std::list<void*> taken;
    client one(80), other(80);
    run(100);
    while (lwip_stats.memp[MEMP_TCP_SEG]->used < MEMP_NUM_TCP_SEG - 5) taken.push_back(memp_malloc(MEMP_TCP_SEG));
    one.send(request("/filler"));
    other.send(request("/filler"));
    CHECK(run_until([&] { return one.received.size() + other.received.size() == 2 * answer("/filler").size(); }));
    CHECK((one.received == answer("/filler")));
    CHECK((other.received == answer("/filler")));
    for (auto* const each : taken) memp_free(MEMP_TCP_SEG, each);
}

TEST_CASE("lwip: who sends on and on while it is answered does not take the buffers of others") {
    scene const here;
    filler::size = 8000;
    client bad(80);
    bad.is_reading = false;
    bad.send(request("/filler"));
    run(500);
    auto const before = simulated::held_by_lwip().buffers;
    bad.send_in_bytes(std::string(1000, 'x'));
    run(3000);
    CHECK(simulated::held_by_lwip().buffers <= before + 2);
    client good(80);
    good.send(request("/livez"));
    CHECK(run_until([&] { return good.received == answer("/livez"); }));
}

TEST_CASE("lwip: what the wire loses or reorders comes all the same") {
    scene const here;
    filler::size = 9000;
    auto const expected = answer("/filler") + answer("/livez");
    for (unsigned every = 3; every <= 9; ++every) {
        CAPTURE(every);
        network.takes = [&](auto const&) { return lwip_test_random() / 65536 % every == 0 ? fate::drop : fate::pass; };
        client c(82);
        c.send(request("/filler") + request("/livez"));
        CHECK(run_until([&] { return c.received.size() >= expected.size() || c.is_broken; }));
        CHECK((c.received == expected));
    }
    for (unsigned window = 2; window <= 5; ++window) {
        CAPTURE(window);
        network.takes = [&](auto const&) { return fate::hold; };
        auto const turn = simulated::on_turn;
        simulated::on_turn = [&](healthz::tick now) {
            turn(now);
            if (network.held.size() >= window || now % 500 < 10) network.let_go_in_reverse();
        };
        client c(82);
        c.send(request("/filler") + request("/livez"));
        CHECK(run_until([&] { return c.received.size() >= expected.size() || c.is_broken; }));
        CHECK((c.received == expected));
        simulated::on_turn = turn;
        network.let_go();
    }
}

TEST_CASE("lwip: what comes late of a connection that was cut off is nothing") {
    scene const here;
    filler::size = 8000;
    {
        client c(80);
        run(100);
        network.takes = [](simulated::frame const& one) { return one.from_client() ? fate::pass : fate::hold; };
        c.send(request("/filler"));
        run(10500);  // cut off amid retransmissions
    }
    network.takes = nullptr;
    network.let_go();
    run(100);
    CHECK(simulated::held_by_lwip() == simulated::holdings{});
}
