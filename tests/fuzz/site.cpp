// SPDX-License-Identifier: BSL-1.0
// Methods, paths, queries and credentials of any form: the site answers each, twice the same, and shows no name without the secret.
#include "watched.hpp"

namespace {

constexpr std::array paths{std::string_view("/healthz/sources"), std::string_view("/healthz/page"), std::string_view("/metrics"),
                           std::string_view("/healthz"),         std::string_view("/livez"),        std::string_view("/readyz"),
                           std::string_view("/startupz")};

std::optional<std::string> maybe(FuzzedDataProvider& from) {
    if (from.ConsumeBool()) return std::nullopt;
    return from.ConsumeRandomLengthString(300);
}
std::optional<std::string_view> view(std::optional<std::string> const& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

// Whether one of the fields that carry secrets has it, as it is or in base64, which is decoded with OpenSSL's leniency: as a whole.
bool has_secret(std::initializer_list<std::optional<std::string> const*> fields) {
    for (auto const* field : fields)
        if (*field && ((*field)->find(watched::secret) != std::string::npos || (*field)->size() > 14)) return true;
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    FuzzedDataProvider from(data, size);
    std::string const method = from.ConsumeBool() ? "GET" : from.ConsumeBool() ? "HEAD" : from.ConsumeRandomLengthString(20);
    std::string path;
    if (from.ConsumeBool()) path = from.PickValueInArray(paths);
    path += from.ConsumeRandomLengthString(100);
    auto const query = from.ConsumeRandomLengthString(100);
    auto const role = maybe(from), admin_secret = maybe(from), access_key = maybe(from), authorization = maybe(from), accept = maybe(from);
    healthz::site_request const request{
        method, path, query, view(role), view(admin_secret), view(access_key), view(authorization), view(accept), from.ConsumeBool()};
    auto const& site = watched::site();
    auto const answer = site.answer_to(request);
    watched::check(answer, has_secret({&admin_secret, &access_key, &authorization}));
    if (query.empty()) fuzz::require(answer.body.size() <= watched::site_type::max_body_size, "no body is larger than the largest");
    auto const again = site.answer_to(request);
    fuzz::require(again.status == answer.status && std::string_view(again.type) == answer.type, "one request has one answer");
    return 0;
}
