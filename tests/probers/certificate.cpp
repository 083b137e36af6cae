// SPDX-License-Identifier: BSL-1.0
// When a certificate ends, also where time_t has 32 bits.
#include "../catch.hpp"

#include <healthz/tls/certificate.hpp>
#include <healthz/tls/connection.hpp>

#include <string_view>

namespace {

using namespace std::chrono;
using healthz::detail::to_parts;
using healthz::detail::to_time;

// Who has a connection has its socket.
static_assert(!std::is_copy_constructible_v<healthz::tls_connection>);

constexpr std::tm moment(int y, int mon, int d, int h, int min, int s) {
    std::tm parts{};
    parts.tm_year = y - 1900;
    parts.tm_mon = mon - 1;
    parts.tm_mday = d;
    parts.tm_hour = h;
    parts.tm_min = min;
    parts.tm_sec = s;
    return parts;
}
constexpr bool is(std::tm const& parts, long long since_1970) {
    auto const time = to_time(parts);
    auto const back = to_parts(time);
    return time == sys_seconds(seconds(since_1970)) && back.tm_year == parts.tm_year && back.tm_mon == parts.tm_mon &&
           back.tm_mday == parts.tm_mday && back.tm_hour == parts.tm_hour && back.tm_min == parts.tm_min && back.tm_sec == parts.tm_sec;
}
static_assert(is(moment(1950, 1, 1, 0, 0, 0), -631'152'000));  // the first that a certificate can name
static_assert(is(moment(1970, 1, 1, 0, 0, 0), 0));
static_assert(is(moment(2000, 2, 29, 23, 59, 59), 951'868'799));
static_assert(is(moment(2038, 1, 19, 3, 14, 8), 2'147'483'648));
static_assert(is(moment(2050, 6, 30, 12, 0, 1), 2'540'203'201));
static_assert(is(moment(9999, 12, 31, 23, 59, 59), 253'402'300'799));

std::string shown(char const* text) {
    std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> const time(ASN1_TIME_new(), &ASN1_TIME_free);
    REQUIRE(ASN1_TIME_set_string_X509(time.get(), text) == 1);
    return healthz::detail::to_text(to_time(time.get()));
}

}  // namespace

TEST_CASE("certificate: it ends when it says, in each year that it can name") {
    CHECK(shown("500101000000Z") == "1950-01-01 00:00:00 UTC");
    CHECK(shown("380119031408Z") == "2038-01-19 03:14:08 UTC");
    CHECK(shown("20500630120001Z") == "2050-06-30 12:00:01 UTC");
    CHECK(shown("99991231235959Z") == "9999-12-31 23:59:59 UTC");
}
