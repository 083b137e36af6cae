// SPDX-License-Identifier: BSL-1.0
// Replies of HTTP in arbitrary pieces: the reader says the same of them as of the whole and as Beast's own parser of messages does, takes
// no more than there is, and gets on with each call.
#include "fuzz.hpp"

#include <healthz/http/reply_reader.hpp>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <optional>

namespace {

namespace http = boost::beast::http;
using healthz::detail::reply_reader;

constexpr std::string_view wanted = "needle";

struct told {
    bool is_complete = false;
    std::size_t used = 0;
    int status = 0;
    std::string location, beginning;
    bool found = false, keep_alive = false;
    bool operator==(told const&) const = default;
};

told tell(reply_reader& reader, std::size_t used) {
    bool const is_complete = reader.is_done();
    return {is_complete, used, reader.status(), reader.location(), reader.beginning(), reader.found(), is_complete && reader.keep_alive()};
}

// What the prober learns, which keeps what is not used up and goes on with more behind it; and at last that the connection is closed.
template <class Ends>
told read(std::string_view bytes, Ends const& ends, bool is_head, bool closes) {
    std::optional<reply_reader> reader(std::in_place, wanted, is_head);
    std::size_t used = 0;
    boost::system::error_code ec;
    for (std::size_t const end : ends) {
        while (!reader->is_done() && used < end) {
            std::vector<char> const here(bytes.begin() + used, bytes.begin() + end);  // of this size, so that reading on is seen
            auto const taken = reader->receive(boost::asio::buffer(here.data(), here.size()), ec);
            fuzz::require(taken <= here.size(), "no more is used than was given");
            fuzz::require(taken > 0 || ec || reader->is_done(), "the reader gets on, or says what it needs");
            used += taken;
            if (ec == http::error::need_more) break;
            if (ec) return tell(*reader, used);
            if (reader->is_done() && reader->is_informational()) reader.emplace(wanted, is_head);
        }
        ec = {};
    }
    if (closes && !reader->is_done() && reader->got_some()) reader->put_eof(ec);
    return tell(*reader, used);
}

// The same by Beast's own parser, which keeps all; nothing unless a whole reply is there.
std::optional<told> read_with_beast(std::string_view bytes, bool is_head, bool closes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
        http::response_parser<http::string_body> parser;
        parser.body_limit(bytes.size());  // it makes room for a whole body at once
        parser.header_limit(reply_reader::longest_header);
        parser.skip(is_head);
        boost::system::error_code ec;
        used += parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), ec);
        if (ec || !parser.is_header_done()) return std::nullopt;
        told found;
        found.status = static_cast<int>(parser.get().result_int());
        for (auto const& field : parser.get())
            if (field.name() == http::field::location) found.location = std::string(field.value());
        if (!parser.is_done()) {
            parser.eager(true);
            if (used < bytes.size()) used += parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), ec);
            if (ec && ec != http::error::need_more) return std::nullopt;
            if (closes && !parser.is_done()) parser.put_eof(ec);
            if (!parser.is_done()) return std::nullopt;
        }
        if (found.status >= 100 && found.status < 200 && found.status != 101) continue;
        auto const& body = parser.get().body();
        found.is_complete = true;
        found.used = used;
        found.beginning = body.substr(0, reply_reader::longest_beginning);
        found.found = body.find(wanted) != std::string::npos;
        found.keep_alive = parser.keep_alive();
        return found;
    }
    return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto input = fuzz::text_of(data, size);
    bool const is_head = input.starts_with('!'), closes = input.ends_with('!');
    if (is_head) input.remove_prefix(1);
    auto const whole = read(input, std::array{input.size()}, is_head, closes), pieces = read(input, fuzz::cuts(input), is_head, closes);
    if (whole.is_complete || pieces.is_complete) fuzz::require(whole == pieces, "a reply in pieces is read as in one");
    // Of one that is broken, or lacks its end, Beast hands over more or less of the body before it says so.
    fuzz::require(whole.beginning.starts_with(pieces.beginning) || pieces.beginning.starts_with(whole.beginning),
                  "what was kept of a broken reply begins alike");
    auto const beast = read_with_beast(input, is_head, closes);
    fuzz::require(whole.is_complete == beast.has_value(), "a reply is complete where it is to Beast");
    if (beast) fuzz::require(whole == *beast, "a reply says what it says to Beast");
    return 0;
}
