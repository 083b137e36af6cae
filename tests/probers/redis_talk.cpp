// SPDX-License-Identifier: BSL-1.0
// Redis without a server: what a command is made of, where an answer ends, what an error means.
#include "../catch.hpp"

#include <healthz/probers/redis/talk.hpp>

#include <string>

using healthz::detail::redis_answer;
using healthz::detail::redis_command;
using outcome = healthz::basic_outcome<512>;

namespace {

redis_answer read(std::string const& bytes, std::size_t piece) {
    redis_answer answer;
    for (std::size_t i = 0; i < bytes.size();) {
        auto const room = answer.room();
        auto const count = bytes.copy(room.data(), std::min(piece, room.size()), i);
        if (count == 0) break;
        answer.take(count);
        i += count;
    }
    return answer;
}

std::string told(char const* answer, char const* secret = "Vq8zKw3x") {
    return std::string(healthz::detail::redis_error<outcome>(answer, {secret}, "command error").json());
}

}  // namespace

TEST_CASE("redis talk: a command has its words, whatever is in them") {
    CHECK(redis_command("PING") == "*1\r\n$4\r\nPING\r\n");
    CHECK(redis_command("AUTH", std::string("a\r\n\0b", 5), "") == std::string("*3\r\n$4\r\nAUTH\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n", 31));
}

TEST_CASE("redis talk: an answer is its first line, and nothing may follow it") {
    for (std::size_t const piece : {1U, 3U, 5U, 100U}) {
        auto const answer = read("+PONG\r\n", piece);
        CHECK((answer.is('+') && !answer.is('-') && answer.text() == "+PONG"));
        CHECK(answer.has_begun());
        CHECK_FALSE(read("+PONG\r", piece).is_complete());
    }
    CHECK_FALSE(read("+PONG\r\n+PONG\r\n", 100).is_complete());
    CHECK(read("\r\n", 1).is_complete());
    CHECK_FALSE(redis_answer().has_begun());
    auto const endless = read(std::string(5000, 'x'), 100);
    CHECK((endless.text().size() == 1024 && !endless.is_complete()));
}

TEST_CASE("redis talk: an error says what it means, and shows no password") {
    CHECK(told("-LOADING Redis is loading the dataset in memory") ==
          R"({"message":"server is loading its data","extra":"LOADING Redis is loading the dataset in memory"})");
    CHECK(told("-LOADING x") == R"({"message":"server is loading its data","extra":"LOADING the server is loading its data"})");
    CHECK(told("-ERR no such thing") == R"({"message":"command error","extra":"ERR no such thing"})");
    CHECK(told("-ERR bad Vq8zKw3x").find("Vq8z") == std::string::npos);
    CHECK(told("$3 Vq8zKw3x").find("Vq8z") == std::string::npos);
    CHECK(told("$3") == R"({"message":"protocol error","extra":"$3"})");
}
