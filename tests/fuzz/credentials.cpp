// SPDX-License-Identifier: BSL-1.0
// The field Authorization, the hosts and the field Accept: base64 against OpenSSL's decoder, and what must hold of any text.
#include "fuzz.hpp"

#include <healthz/credentials.hpp>
#include <healthz/negotiate.hpp>

#include <openssl/evp.h>

namespace {

// OpenSSL's reading of base64 that is padded and without blanks; nothing where it takes none.
std::optional<std::string> openssl_decode(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    auto const padding = text.size() - std::min(text.size(), text.find('='));
    if (text.size() % 4 != 0 || padding > 2) return std::nullopt;
    if (text.substr(0, text.size() - padding).find_first_not_of(alphabet) != text.npos) return std::nullopt;
    if (text.substr(text.size() - padding).find_first_not_of('=') != text.npos) return std::nullopt;
    std::string result(text.size() / 4 * 3, '\0');
    auto const length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                                        reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    result.resize(static_cast<std::size_t>(length) - padding);
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = fuzz::text_of(data, size);
    std::array<char, 512> buffer;
    auto const ours = healthz::detail::from_base64(text, buffer);
    auto const theirs = openssl_decode(text);
    if (ours) fuzz::require(ours->size() <= buffer.size(), "no more is decoded than there is room");
    if (ours && theirs) fuzz::require(*ours == *theirs, "base64 says what it says to OpenSSL");
    if (theirs && theirs->size() <= buffer.size() && !ours) {
        // The bits behind the last byte must be zero (RFC 4648, 3.5), which OpenSSL does not ask for.
        std::string again(4 * ((theirs->size() + 2) / 3) + 1, '\0');
        auto const n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()),
                                       reinterpret_cast<unsigned char const*>(theirs->data()), static_cast<int>(theirs->size()));
        fuzz::require(again.substr(0, static_cast<std::size_t>(n)) != text, "base64 of RFC 4648 is taken");
    }
    auto const found = healthz::detail::secret_in(text, buffer);
    fuzz::require(!(found.malformed && found.secret), "a field that is malformed has no secret");

    constexpr std::array types{std::string_view("text/plain; version=0.0.4; charset=utf-8"),
                               std::string_view("application/openmetrics-text; version=1.0.0; charset=utf-8"),
                               std::string_view("text/html")};
    auto const best = healthz::preferred_type(text, types);
    fuzz::require(best < types.size(), "a type is chosen among those that there are");
    fuzz::require(best == healthz::preferred_type("," + std::string(text) + ", ", types), "empty items of a list mean nothing");

    constexpr std::array hosts{std::string_view("localhost"), std::string_view("[::1]")};
    if (healthz::is_allowed_host(text, hosts) && healthz::detail::is_host(text)) {
        auto const name = healthz::detail::without_port(text);
        fuzz::require(name.size() == 9 || name == "[::1]", "only a host that is served is served");
    }
    return 0;
}
