// SPDX-License-Identifier: BSL-1.0
// Which connection has to go where there are too many: without sockets, at moments that the test names.
#include "../catch.hpp"

#include <healthz/beast/connection_list.hpp>

#include <deque>
#include <vector>

namespace {

using namespace std::chrono_literals;
using healthz::beast::detail::connection_list;
using healthz::beast::detail::phase;
using member = connection_list::member;

/// A moment of the test.
connection_list::time_point at(std::chrono::milliseconds moment) { return connection_list::time_point(1h) + moment; }

constexpr std::size_t many = 1000;

}  // namespace

TEST_CASE("connections: as long as there is room, none has to go") {
    connection_list list(many);
    std::deque<member> members(4);
    CHECK(list.in_the_way_of(1, 4, at(0ms)) == nullptr);
    CHECK(list.first_to_go(at(0ms)) == nullptr);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(list.in_the_way_of(i, 4, at(10s)) == nullptr);
        list.join(members[i], i, at(0ms));
    }
    CHECK(list.size() == 4);
    CHECK(list.in_the_way_of(9, 4, at(10s)) == &members[0]);
    for (auto& each : members) list.leave(each);
    CHECK(list.size() == 0);
}

TEST_CASE("connections: of those that have waited for more than a second the least finished goes, and of them the longest waiting") {
    connection_list list(many);
    member answering, receiving, late_receiving, waiting, late_waiting, closing, fresh;
    for (auto* each : {&answering, &receiving, &late_receiving, &waiting, &late_waiting, &closing}) list.join(*each, 1, at(0s));
    list.enter(answering, phase::answering, at(1s));
    list.enter(receiving, phase::receiving, at(2s));
    list.enter(late_receiving, phase::receiving, at(3s));
    list.enter(waiting, phase::waiting, at(4s));
    list.enter(late_waiting, phase::waiting, at(5s));
    list.enter(closing, phase::closing, at(6s));
    list.join(fresh, 2, at(7500ms));
    auto const now = at(8s);
    for (auto* expected : {&closing, &waiting, &late_waiting, &receiving, &late_receiving, &answering, &fresh}) {
        CHECK(list.in_the_way_of(3, list.size(), now) == expected);
        CHECK(list.first_to_go(now) == expected);
        list.leave(*expected);
    }
    CHECK(list.first_to_go(now) == nullptr);
}

TEST_CASE("connections: where none has waited for more than a second, the longest waiting of all goes") {
    connection_list list(many);
    member answering, receiving, waiting;
    list.join(answering, 1, at(0s));
    list.join(receiving, 2, at(0s));
    list.join(waiting, 3, at(0s));
    list.enter(answering, phase::answering, at(100ms));
    list.enter(waiting, phase::waiting, at(200ms));
    list.enter(receiving, phase::receiving, at(300ms));
    for (auto* expected : {&answering, &waiting, &receiving}) {
        CHECK(list.first_to_go(at(1100ms)) == expected);
        list.leave(*expected);
    }
}

TEST_CASE("connections: one that has just come is not the victim of the next, whatever the others do") {
    for (auto const doing : {phase::waiting, phase::receiving, phase::answering}) {
        connection_list list(many);
        std::deque<member> attackers(8);
        for (auto& each : attackers) {
            list.join(each, 1, at(0s));
            list.enter(each, doing, at(0s));
        }
        auto const come = [&](member& m, std::chrono::milliseconds moment) {
            if (auto* const other = list.in_the_way_of(1, 8, at(moment))) list.leave(*other);
            list.join(m, 1, at(moment));
        };
        member honest;
        std::deque<member> more(7);
        come(honest, 900ms);
        for (auto& each : more) come(each, 901ms);
        CHECK(honest.listed());
        list.leave(honest);
        for (auto& each : attackers) list.leave(each);
        for (auto& each : more) list.leave(each);
    }
}

TEST_CASE("connections: a client at its bound is in its own way only") {
    connection_list list(2);
    member neighbour, first, second, third;
    list.join(neighbour, 1, at(0s));
    list.join(first, 2, at(1s));
    CHECK(list.in_the_way_of(2, 3, at(9s)) == nullptr);
    list.join(second, 2, at(2s));
    list.enter(second, phase::closing, at(3s));
    CHECK(list.in_the_way_of(2, 3, at(9s)) == &second);  // by the same rule as among all
    CHECK(list.in_the_way_of(2, many, at(9s)) == &second);
    list.leave(second);
    CHECK(list.in_the_way_of(2, 3, at(9s)) == nullptr);
    list.join(third, 2, at(4s));
    CHECK(list.in_the_way_of(2, 3, at(9s)) == &first);
    CHECK(list.in_the_way_of(1, 3, at(9s)) == &neighbour);  // it is not at its bound, but there is no room
    for (auto* each : {&neighbour, &first, &third}) list.leave(*each);
    CHECK(list.in_the_way_of(2, 1, at(9s)) == nullptr);
}

TEST_CASE("connections: those whose time is over are named in their order, and may leave meanwhile") {
    connection_list list(many);
    std::deque<member> members(5);
    for (std::size_t i = 0; i < 5; ++i) list.join(members[i], i, at(std::chrono::seconds(i)));
    list.enter(members[1], phase::receiving, at(5s));
    std::vector<member*> expired;
    list.for_each_expired(
        phase::waiting, [] { return 2s; }, at(5s),
        [&](member& m) {
            expired.push_back(&m);
            list.leave(m);
        });
    CHECK(expired == std::vector<member*>{&members[0], &members[2], &members[3]});
    CHECK(list.size() == 2);
    list.for_each_expired(
        phase::receiving, [] { return 1ms; }, at(5s), [&](member&) { FAIL("its time is not over"); });
    for (auto& each : members) list.leave(each);  // nothing for those that have left
    list.enter(members[0], phase::answering, at(6s));
    CHECK(members[0].doing() == phase::waiting);
    CHECK_FALSE(members[0].listed());
    CHECK(list.size() == 0);
}
