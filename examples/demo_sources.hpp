// SPDX-License-Identifier: BSL-1.0
// The demo's sources: four, of four kinds.
#pragma once

#include <healthz.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/sqlite.hpp>
#include <healthz/probers/tcp.hpp>

#include <chrono>

using namespace std::chrono_literals;

// A callable: a room's temperature from an imaginary sensor, which is warm every other minute.
constexpr auto read_sensor = [] {
    auto const minute = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch());
    if (minute.count() % 2 == 0) return healthz::ok();
    return healthz::error("too warm", healthz::json_text{R"({"celsius":31,"limit":30})"});
};

constexpr auto sources = healthz::sources(
    healthz::source<"inventory">(healthz::sqlite{.path = healthz::env("INVENTORY_DB", "inventory.db")}, {.interval = 2s, .retries = 0}),
    healthz::source<"orders">(healthz::postgres{.url = healthz::env("ORDERS_URL")}, {.interval = 2s, .retries = 0}),
    healthz::source<"gateway">(healthz::tcp{.address = healthz::env("GATEWAY_ADDRESS", "127.0.0.1:9")}, {.interval = 2s, .retries = 0}),
    healthz::source<"sensor">(read_sensor, {.interval = 2s, .retries = 0}));
