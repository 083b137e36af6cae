// SPDX-License-Identifier: BSL-1.0
// All of healthz in the global namespace, beside the customary alias of Boost.Asio.
#include "../catch.hpp"

#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

#include <boost/asio/io_context.hpp>

using namespace healthz;
namespace asio = boost::asio;

namespace {

constexpr auto declared = sources(source<"imu">(immediate_archetype{}, {.interval = std::chrono::hours(1)}));

}  // namespace

TEST_CASE("a program may use the names of healthz without it, and call Boost.Asio asio") {
    asio::io_context context;
    int verdicts = 0;
    runner<declared> checks(context.get_executor(), [&](auto const& latest, std::size_t index) {
        ++verdicts;
        CHECK(latest.is(index, healthz::status::ok));
        checks.stop();
    });
    checks.start();
    context.run();
    CHECK(verdicts == 1);
}
