// SPDX-License-Identifier: BSL-1.0
// Requests in arbitrary pieces: the reader says the same of them as of the whole, takes no more than there is, and no answer shows a
// document to who does not have the secret.
#include "fuzz.hpp"
#include "watched.hpp"

#include <healthz/http/request_reader.hpp>

namespace {

using healthz::request_state;
using healthz::detail::request_fields;
using healthz::detail::request_reader;

constexpr std::size_t limit = 8192;

struct told {
    request_state state = request_state::incomplete;
    std::size_t size = 0;
    std::string method, target, host, role, secret, key, authorization, accept;
    bool repeated = false, http_1_0 = false, keep_alive = false;
    bool operator==(told const&) const = default;
};

template <class Ends>
told read(std::string_view bytes, Ends const& ends) {
    request_fields fields;
    request_reader reader(fields, limit);
    told result;
    for (std::size_t const end : ends) {
        std::string const here(bytes.substr(0, end));  // at another place each time, as a buffer that grows
        result.state = reader.read(here);
        if (result.state == request_state::incomplete) continue;
        if (result.state != request_state::complete) break;
        fuzz::require(reader.size() <= here.size() && reader.size() <= limit, "a request is no longer than what was given");
        auto const copy = [](std::optional<std::string_view> value) { return std::string(value.value_or("(none)")); };
        auto const answer = watched::site().answer_to(fields.for_site());
        watched::check(answer, bytes.find(watched::secret) != bytes.npos || bytes.find(watched::secret_in_base64) != bytes.npos);
        return {result.state,
                reader.size(),
                std::string(fields.method),
                std::string(fields.target),
                std::string(fields.host),
                copy(fields.role),
                copy(fields.admin_secret),
                copy(fields.access_key),
                copy(fields.authorization),
                copy(fields.accept),
                fields.repeated,
                fields.http_1_0,
                fields.keep_alive};
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = fuzz::text_of(data, size);
    fuzz::require(read(input, std::array{input.size()}) == read(input, fuzz::cuts(input)), "a request in pieces is read as in one");
    return 0;
}
