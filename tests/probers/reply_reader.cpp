// SPDX-License-Identifier: BSL-1.0
// A reply means the same however the network cuts it, and no cut ends the program: Beast's assertions are on here, unless NDEBUG
// is defined.
#include <healthz/http/reply_reader.hpp>
#include "../catch.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

using healthz::detail::reply_reader;
namespace http = boost::beast::http;

namespace {

// Where the pieces of a reply end, but for the last.
using cuts = std::vector<std::size_t>;

// What the prober would learn: it gives what has come to the parser, keeps what is not used up, and goes on with more behind it.
std::string read(std::string const& bytes, cuts const& ends, bool closes) {
    reply_reader reader("well", false);
    boost::system::error_code ec;
    std::size_t used = 0;
    auto const receive = [&](std::size_t end) {
        while (!ec && !reader.is_done() && used < end) {
            used += reader.receive(boost::asio::buffer(bytes.data() + used, end - used), ec);
            if (ec == http::error::need_more) {
                ec = {};
                return;
            }
        }
    };
    for (auto const end : ends) receive(end);
    receive(bytes.size());
    if (!ec && !reader.is_done() && closes && reader.got_some()) reader.put_eof(ec);
    std::string result = ec ? ec.message() : reader.is_done() ? "done" : "needs more";
    // Of a reply that is none, the rest is of no matter.
    if (!ec) result += " " + std::to_string(used) + " " + std::to_string(reader.found()) + " " + reader.beginning();
    if (!ec && reader.is_done()) result += " " + std::to_string(reader.keep_alive());
    return result + " " + std::to_string(reader.status()) + " " + reader.location();
}

// As one piece, in two, in three, byte by byte, and its last `tail` bytes in all ways.
void check_all_cuts(std::string const& bytes, std::size_t tail) {
    auto const size = bytes.size();
    REQUIRE(tail <= size);
    for (bool const closes : {false, true}) {
        auto const whole = read(bytes, {}, closes);
        std::set<std::string> others;
        auto const check = [&](cuts const& ends) {
            if (auto const found = read(bytes, ends, closes); found != whole) others.insert(found);
        };
        for (std::size_t i = 1; i < size; ++i)
            for (std::size_t j = i; j < size; ++j) check({i, j});
        cuts every;
        for (std::size_t i = 1; i < size; ++i) every.push_back(i);
        check(every);
        for (unsigned which = 0; which < 1U << tail; ++which) {
            cuts ends;
            for (std::size_t i = 0; i < tail; ++i)
                if ((which >> i & 1) != 0) ends.push_back(size - tail + i);
            check(ends);
        }
        INFO(bytes);
        INFO(whole);
        CHECK(others == std::set<std::string>());
    }
}

std::string const ok = "HTTP/1.1 200 OK\r\n";
std::string const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("reply reader: a reply means the same however it is cut") {
    for (std::string const body :
         {"0\r\n\r\n", "00\r\n\r\n", "0;x=\"y\"\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\nX:\r\n y\r\n\r\n", "1\r\nx\r\n0\r\n\r\n",
          "4\r\nwell\r\n0\r\n\r\n", "2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n", "0\r\n\r\nrest", "0\r\nLocation: /\r\n\r\n"})
        check_all_cuts(chunked + body, std::min<std::size_t>(body.size() + 1, 13));
    for (auto const& reply : {ok + "Content-Length: 6\r\n\r\n all well", ok + "Content-Length: 0\r\n\r\n", ok + "\r\nall is well",
                              std::string("HTTP/1.0 200 OK\r\n\r\nwell"), std::string("HTTP/1.1 204 \r\n\r\nrest"),
                              std::string("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 1\r\n\r\nx"),
                              ok + "X: a\r\n b\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwell"})
        check_all_cuts(reply, 12);
}

TEST_CASE("reply reader: what is no reply is none however it is cut") {
    for (std::string const body :
         {"xyz\r\n\r\n", "\r\n\r\n\r\n", "0 \r\n\r\n\r\n", "0\rx\r\n\r\n", "1\r\nxyz\r\n0\r\n\r\n", "0\r\nX\r\n\r\n"})
        check_all_cuts(chunked + body, body.size());
    check_all_cuts(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 12);
}

TEST_CASE("reply reader: a trailer does not say where a body ends") {
    auto const trailer_of = [](std::string const& field) { return read(chunked + "0\r\n" + field + "\r\n\r\n", {}, true); };
    CHECK(trailer_of("X: y").starts_with("done"));
    CHECK(trailer_of("Content-Length: 0").starts_with("bad Content-Length"));
    CHECK(trailer_of("Transfer-Encoding: chunked").starts_with("bad Transfer-Encoding"));
}

TEST_CASE("reply reader: a header of 64 KiB is the longest, in one piece and in many") {
    auto const with_header_of = [](std::size_t size, std::size_t piece) {
        std::string bytes = ok;
        while (bytes.size() + 100 < size) bytes += "X: " + std::string(93, 'x') + "\r\n";
        bytes += "X: " + std::string(size - bytes.size() - 7, 'x') + "\r\n\r\n";
        REQUIRE(bytes.size() == size);
        cuts ends;
        for (std::size_t i = piece; i < size; i += piece) ends.push_back(i);
        return read(bytes, ends, true);
    };
    for (std::size_t const piece : {100'000U, 16'384U, 777U}) {
        CHECK(with_header_of(60'000, piece).starts_with("done"));
        CHECK(with_header_of(70'000, piece).starts_with("header limit"));
    }
}
