// SPDX-License-Identifier: BSL-1.0
// Connections that take their time, end in the middle, or are too many.
#include "board.hpp"

#include <list>

using namespace board;
using simulated::client;
using simulated::network;
using simulated::run;
using simulated::run_until;
using fate = simulated::wire::fate;

TEST_CASE("lwip: who says nothing is sent away in time, and who does not finish is told") {
    scene const here;
    client silent(80), late(80);
    run(9000);
    late.send("GET /livez HTTP/1.1\r\nHo");
    run(900);
    CHECK(!silent.is_ended);
    CHECK(!late.is_ended);
    run(300);
    CHECK(silent.is_ended);
    CHECK(silent.received.empty());
    CHECK(!late.is_ended);
    run(3600);
    CHECK(late.received.empty());
    run(600);
    CHECK(late.is_ended);
    CHECK((late.received == refusal(healthz::answer::timed_out)));
    CHECK(!late.is_broken);
}

TEST_CASE("lwip: who is gone without a word holds nothing of lwIP for long, whatever it had asked") {
    for (std::string_view const sent : {"", "GET /livez", "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", "GET /livez HTTP/1.0\r\n\r\n"}) {
        CAPTURE(sent);
        scene const here;
        client c(80);
        run(100);
        c.send(sent);
        run(100);
        network.takes = [](auto const&) { return fate::drop; };
        c.reset();
        run(20000);  // 10 s until it is sent away, or answered in vain, and the time for that
        auto const held = simulated::held_by_lwip();
        CHECK(held.connections == 0);
        CHECK(held.heap == 0);
    }
}

TEST_CASE("lwip: who does not take the answer is cut off, and its memory is given back") {
    scene const here;
    filler::size = 8000;
    client slow(80);
    slow.is_reading = false;
    slow.send(request("/filler"));
    run(9500);
    CHECK(simulated::held_by_lwip().heap > 8000 - TCP_WND);
    CHECK(!slow.is_broken);
    run(700);
    CHECK(simulated::held_by_lwip().heap == 0);
    CHECK(slow.received.size() == TCP_WND);
    CHECK(answer("/filler").starts_with(slow.received));
    slow.read_all();  // a reset does not come through a window that is closed
    run(100);
    CHECK(slow.is_broken);
}

TEST_CASE("lwip: who reads slowly gets all of the answer") {
    scene const here;
    filler::size = 12000;
    client slow(80);
    slow.is_reading = false;
    slow.send(request("/filler") + request("/livez"));
    auto const expected = answer("/filler") + answer("/livez");
    for (int i = 0; i < 12; ++i) {
        run(700);
        slow.read_all();
        slow.is_reading = false;
    }
    CHECK((slow.received == expected));
    CHECK(!slow.is_broken);
}

TEST_CASE("lwip: who does not close is cut off after the last answer") {
    scene const here;
    client c(80);
    c.send(request("/livez", board::close));
    run(500);
    CHECK(c.is_ended);
    CHECK((c.received == answer("/livez", board::close)));
    run(400);
    CHECK(!c.is_broken);
    run(400);
    CHECK(c.is_broken);
}

TEST_CASE("lwip: a reset in each phase gives all back") {
    scene const here;
    filler::size = 8000;
    auto const broken = [](std::string_view sent, bool reading, std::uint32_t after) {
        {
            client c(80);
            c.is_reading = reading;
            c.send(sent);
            run(after);
        }
        run(100);
        CHECK(simulated::held_by_lwip() == simulated::holdings{});
    };
    broken("", true, 0);
    broken("", true, 100);
    broken("GET /liv", true, 100);
    broken(request("/filler"), true, 0);
    broken(request("/filler"), false, 500);
    broken(request("/filler") + request("/filler"), false, 500);
    broken(request("/livez", board::close), true, 100);
    broken(request("/livez", "Content-Length: 3\r\n") + "a", true, 100);
}

TEST_CASE("lwip: who sends no more still gets what it has asked for") {
    scene const here;
    filler::size = 8000;
    auto const got = [](std::string_view sent, std::uint32_t before) {
        client c(80);
        c.send(sent);
        run(before);
        c.finish();
        CHECK(run_until([&] { return c.is_ended || c.is_broken; }));
        run(100);
        CHECK(!c.is_broken);
        return c.received;
    };
    for (std::uint32_t const before : {0u, 10u, 500u}) {
        CAPTURE(before);
        CHECK((got("", before) == ""));
        CHECK((got("GET /livez HTTP/1.1\r\nHo", before) == ""));
        CHECK((got(request("/filler"), before) == answer("/filler")));
        CHECK((got(request("/filler") + request("/livez"), before) == answer("/filler") + answer("/livez")));
        CHECK((got(request("/livez") + request("/filler") + "GET /", before) == answer("/livez") + answer("/filler")));
        CHECK((got(request("/filler", board::close) + request("/livez"), before) == answer("/filler", board::close)));
    }
}

TEST_CASE("lwip: where all connections are taken the one that has been waiting longest goes, and none that is answered") {
    scene const here;
    filler::size = 4000;
    client first(80), second(80);
    run(50);
    client third(80), fourth(80);
    run(100);
    first.send("GET /livez HTTP/1.1\r\n");  // it waits for the rest since now
    second.is_reading = third.is_reading = false;
    second.send(request("/filler"));
    run(100);
    client fifth(80);
    run(100);
    CHECK(!second.is_broken);
    CHECK(third.is_broken != fourth.is_broken);
    auto& left = third.is_broken ? fourth : third;
    left.is_reading = false;
    left.send(request("/filler"));
    first.is_reading = false;
    first.send(host + "Connection: close\r\n\r\n");
    fifth.is_reading = false;
    fifth.send(request("/filler"));
    run(500);
    CHECK(!first.is_broken);  // its answer was short, and it has to close
    client sixth(80);
    run(100);
    CHECK(first.is_broken);
    sixth.is_reading = false;
    sixth.send(request("/filler"));
    run(100);
    client seventh(80);  // all are being answered
    run(100);
    CHECK(seventh.is_broken);
    for (auto* const each : {&second, &left, &fifth, &sixth}) {
        CHECK(!each->is_broken);
        each->read_all();
    }
    run(2000);
    for (auto* const each : {&second, &left, &fifth, &sixth}) CHECK((each->received == answer("/filler")));
    client eighth(80);
    eighth.send(request("/livez"));
    CHECK(run_until([&] { return eighth.received == answer("/livez"); }));
}

TEST_CASE("lwip: who takes an answer slowly makes room after a second, the slowest first, but only where all connections are taken") {
    scene const here;
    filler::size = 4000;
    std::list<client> all;
    for (int i = 0; i < 4; ++i) {
        auto& each = all.emplace_back(80);
        each.is_reading = false;
        each.send(request("/filler"));
        run(300);
    }
    run(3000);
    for (auto& each : all) CHECK(!each.is_broken);
    client fifth(80);
    fifth.send(request("/livez"));
    CHECK(run_until([&] { return fifth.received == answer("/livez"); }));
    for (auto& each : all) each.read_all();
    run(2000);
    CHECK(all.front().is_broken);
    all.pop_front();
    for (auto& each : all) CHECK((each.received == answer("/filler")));
}

TEST_CASE("lwip: a turn of the loop writes one answer, in turns") {
    scene const here;
    filler::size = 10;
    std::list<client> all;
    for (int i = 0; i < 4; ++i) all.emplace_back(80);
    run(100);
    simulated::on_turn = nullptr;
    for (auto& each : all) each.send(request("/filler") + request("/filler"));
    run(20);
    for (std::size_t turn = 1; turn <= 4; ++turn) {
        CHECK(server.poll(simulated::now));
        run(20);
        std::size_t answered = 0;
        for (auto& each : all) answered += each.received == answer("/filler");
        CHECK(answered == turn);
    }
    run(300);  // until these are acknowledged
    for (std::size_t turn = 1; turn <= 4; ++turn) CHECK(server.poll(simulated::now));
    CHECK(!server.poll(simulated::now));
    run(20);
    for (auto& each : all) CHECK(each.received == answer("/filler") + answer("/filler"));
}

TEST_CASE("lwip: where it cannot listen it says why") {
    scene const here;
    static constinit healthz::lwip::server<site, monitor, 1, 128> other;
    CHECK(other.listen(80) == ERR_USE);
    std::list<tcp_pcb*> all;
    while (auto* const each = tcp_new()) all.push_back(each);
    CHECK(other.listen(83) == ERR_MEM);
    for (auto* const each : all) tcp_abort(each);
    all.clear();
    for (u16_t port = 90;; ++port) {  // all that may listen
        auto* const each = tcp_new();
        tcp_bind(each, IP_ANY_TYPE, port);
        auto* const listener = tcp_listen(each);
        if (listener == nullptr) {
            tcp_abort(each);
            break;
        }
        all.push_back(listener);
    }
    CHECK(!all.empty());
    CHECK(other.listen(83) == ERR_MEM);
    for (auto* const each : all) tcp_close(each);
}

TEST_CASE("lwip: what was answered does not change while it is sent, whatever is found meanwhile") {
    scene const here;
    client c(80), later(80);
    c.is_reading = false;
    auto const before = answer("/metrics");
    c.send(request("/metrics"));
    run(200);
    CHECK(c.received.size() < before.size());
    imu_is_well = false;
    check_sources();
    auto const after = answer("/metrics");
    CHECK(after != before);
    later.send(request("/metrics"));
    c.read_all();
    CHECK(run_until([&] { return c.received.size() == before.size() && later.received.size() == after.size(); }));
    CHECK((c.received == before));
    CHECK((later.received == after));
    imu_is_well = true;
    check_sources();
}

TEST_CASE("lwip: time wraps") {
    scene const here;
    for (std::uint32_t const before : {100u, 2000u, 6000u, 9900u, 10100u}) {
        CAPTURE(before);
        simulated::run(1000);
        simulated::now = static_cast<healthz::tick>(-static_cast<std::int64_t>(before));
        simulated::run(20);
        client silent(80), late(80), slow(80);
        slow.is_reading = false;
        slow.send(request("/metrics"));
        late.send("GET ");
        run(4800);
        CHECK(!late.is_ended);
        run(400);
        CHECK((late.received == refusal(healthz::answer::timed_out)));
        run(4500);
        CHECK(!silent.is_ended);
        CHECK(!slow.is_broken);
        run(500);
        CHECK(silent.is_ended);
        slow.read_all();
        run(100);
        CHECK(slow.is_broken);
    }
}
