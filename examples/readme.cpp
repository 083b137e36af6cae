#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/probers/sqlite.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(
    healthz::source<"inventory">(healthz::sqlite{.path = "inventory.db"}, {.interval = 5s}),
    healthz::source<"queue">([] { return healthz::error("queue stalled", "last job 14 minutes ago"); },
                             {.interval = 1s, .retries = 0}));

static_assert(healthz::worst_case_detection<sources>() <= 85s);

int main() {
    return healthz::beast::serve<sources>(
        {.port = 8080, .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET"))});
}
