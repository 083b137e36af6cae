// SPDX-License-Identifier: BSL-1.0
// The parser for small machines, byte by byte: what it says of a request is what our reader says, which is Beast's, and so is each field.
#include "fuzz.hpp"

#include <healthz/http/request_reader.hpp>
#include <healthz/request_parser.hpp>

namespace {

using healthz::request_state;
using parser = healthz::request_parser<2048>;

// What is refused although Beast takes it: a length that is a list, or there twice, or has more digits than any body has bytes.
bool has_odd_length(std::string_view header) {
    bool found = false, odd = false;
    for (; !header.empty(); header = healthz::detail::text_after(header, '\n')) {
        auto value = healthz::detail::text_before(header, '\n');
        if (!healthz::detail::same_word(healthz::detail::take_item(value, ':'), "content-length")) continue;
        odd |= found || value.find(',') != value.npos || healthz::detail::take_item(value, '\r').size() > 19;
        found = true;
    }
    return odd;
}

void compare(parser const& ours, healthz::detail::request_fields const& theirs) {
    auto const request = ours.request();
    auto const expected = theirs.for_site();
    fuzz::require(request.method == expected.method && request.path == expected.path && request.query == expected.query, "the same target");
    fuzz::require(ours.host() == theirs.host, "the same host");
    fuzz::require(request.role == expected.role && request.admin_secret == expected.admin_secret &&
                      request.access_key == expected.access_key && request.authorization == expected.authorization,
                  "the same credentials");
    fuzz::require(request.accept == expected.accept && request.repeated == expected.repeated, "the same of the others");
    // With both options Beast keeps a connection of HTTP/1.0; RFC 9112, 9.3, closes it.
    bool const is_cautious = theirs.http_1_0 && theirs.keep_alive;
    fuzz::require(ours.keep_alive() == theirs.keep_alive || is_cautious, "the same of the connection");
    fuzz::require(ours.is_http_1_0() == theirs.http_1_0, "the same version");
    fuzz::require(ours.is_head() == (expected.method == "HEAD"), "HEAD is HEAD");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto input = fuzz::text_of(data, size);
    static parser ours;  // which is used again, as that of a connection
    ours.next();
    std::size_t used = 0;
    for (auto const end : fuzz::cuts(input)) {
        auto const piece = input.substr(used, end - used);
        auto const taken = ours.put(piece);
        fuzz::require(taken <= piece.size(), "no more is used than was given");
        used += taken;
        if (ours.state() != request_state::incomplete) break;
        fuzz::require(taken == piece.size(), "all is used until the request ends");
    }
    static healthz::request_parser<128> small;
    small.next();
    small.put(input);
    fuzz::require(small.state() == request_state::too_large || small.state() == ours.state(),
                  "one with less room says the same, or that it has none");
    while (input.starts_with("\r\n")) {  // as our server does
        input.remove_prefix(2);
        used -= std::min<std::size_t>(used, 2);
    }

    healthz::detail::request_fields theirs;
    healthz::detail::request_reader reader(theirs, parser::max_header_size);
    auto const expected = input.empty() || input == "\r" ? request_state::incomplete : reader.read(input);
    switch (ours.state()) {
        case request_state::complete:
            fuzz::require(expected == request_state::complete && used == reader.size(), "what is complete is so for Beast");
            compare(ours, theirs);
            break;
        case request_state::malformed:
            // Ours sees it at the byte, Beast at the end of the line.
            fuzz::require(expected != request_state::complete || has_odd_length(input.substr(0, reader.size())),
                          "what is malformed is so for Beast");
            break;
        case request_state::incomplete: fuzz::require(expected == request_state::incomplete, "what is incomplete is so for Beast"); break;
        case request_state::too_large: fuzz::require(size > 2048, "a request of less than the capacity has room"); break;
    }
    return 0;
}
