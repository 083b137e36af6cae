// SPDX-License-Identifier: BSL-1.0
// Redis: a command is read as the words that it was made of, an answer in pieces is its first line, and what is told of an error is JSON
// without a piece of the password.
#include "fuzz.hpp"

#include <healthz/probers/redis/talk.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <charconv>

namespace {

using healthz::detail::redis_answer;
using outcome = healthz::basic_outcome<512>;

// The words of one command, as a server takes them apart (RESP: an array of bulk strings).
std::vector<std::string> words_of(std::string_view command) {
    auto const number_after = [&command](char type) {
        std::size_t number = 0;
        auto const end = command.find("\r\n");
        fuzz::require(command.starts_with(type) && end != command.npos, "a command is of RESP");
        std::from_chars(command.data() + 1, command.data() + end, number);
        command.remove_prefix(end + 2);
        return number;
    };
    std::vector<std::string> words(number_after('*'));
    for (auto& word : words) {
        auto const size = number_after('$');
        word = command.substr(0, size);
        fuzz::require(command.substr(size, 2) == "\r\n", "a word ends where it should");
        command.remove_prefix(size + 2);
    }
    fuzz::require(command.empty(), "nothing follows a command");
    return words;
}

// What is read, as the prober reads: no more once the line is there.
template <class Ends>
redis_answer read(std::string_view bytes, Ends const& ends, std::size_t& used) {
    redis_answer answer;
    used = 0;
    for (std::size_t const end : ends) {
        auto const room = answer.room();
        auto const count = std::min(room.size(), end - used);
        std::copy_n(bytes.begin() + used, count, room.begin());
        used += count;
        if (!room.empty()) answer.take(count);
    }
    return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = fuzz::text_of(data, size);
    auto const end = std::min(input.size(), input.find('|'));
    auto const secret = input.substr(0, end), bytes = input.substr(std::min(input.size(), end + 1));
    using words = std::vector<std::string>;
    fuzz::require(words_of(healthz::detail::redis_command("AUTH", secret, bytes)) == words{"AUTH", std::string(secret), std::string(bytes)},
                  "a command has its words");

    std::size_t in_one = 0, in_pieces = 0;
    auto const whole = read(bytes, std::array{bytes.size()}, in_one), pieces = read(bytes, fuzz::cuts(bytes), in_pieces);
    fuzz::require(whole.text() == bytes.substr(0, std::min({bytes.find("\r\n"), bytes.size(), std::size_t(1024)})),
                  "an answer is its line");
    fuzz::require(whole.text() == pieces.text() && whole.has_begun() == pieces.has_begun(), "an answer in pieces is read as in one");
    fuzz::require(pieces.is_complete() == (bytes.substr(0, in_pieces).find("\r\n") + 2 == in_pieces) || in_pieces < 2,
                  "what comes with the line and is none of it makes it no answer");
    fuzz::require(!whole.is('+') || !whole.is(':'), "an answer is of one type");

    if (!whole.has_begun()) return 0;
    auto const told = healthz::detail::redis_error<outcome>(whole.text(), {secret}, "command error");
    boost::system::error_code ec;
    auto const json = boost::json::parse(boost::json::string_view(told.json().data(), told.json().size()), ec);
    fuzz::require(!ec && told.status() == healthz::status::error, "an error is JSON");
    auto const* const extra = json.as_object().if_contains("extra");
    fuzz::require(json.at("message").is_string() && (!extra || extra->is_string()), "an error has texts");
    // What varies of what the server says has no piece of a password, where it is one that no sentence of ours has.
    constexpr std::string_view odd = "0123456789*#$/+=&@^~|;\"\\()[]{}_";
    bool const is_odd = secret.size() >= 4 && secret.find_first_not_of(odd) == secret.npos;
    for (std::size_t i = 0; is_odd && extra && i + 4 <= secret.size(); ++i)
        fuzz::require(std::string_view(extra->as_string()).find(secret.substr(i, 4)) == std::string_view::npos,
                      "no piece of a password is shown");
    return 0;
}
