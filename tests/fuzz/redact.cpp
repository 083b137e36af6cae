// SPDX-License-Identifier: BSL-1.0
// Texts of others and secrets: no four characters of a secret are left in what is shown, however they are encoded.
#include "fuzz.hpp"

#include <healthz/hosted/redact.hpp>

#include <array>

namespace {

// Whether a piece of `secret` stands in `text`: by trying all, and by decoding each %XX as it comes.
bool has_piece(std::string_view text, std::string_view secret) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
            std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
            decoded += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    std::size_t const length = std::min<std::size_t>(4, secret.size());
    for (std::size_t i = 0; i + length <= secret.size(); ++i)
        for (std::string_view form : {text, std::string_view(decoded)})
            if (form.find(secret.substr(i, length)) != form.npos) return true;
    return false;
}

constexpr std::array sentences{std::string_view("ERR unknown command '*', with args beginning with: *"), std::string_view("*#*")};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = fuzz::text_of(data, size);
    auto const end = std::min(input.size(), input.find('|'));
    auto const secret = input.substr(0, end), text = input.substr(std::min(input.size(), end + 1));
    healthz::secrets const hidden{secret};
    auto const whole = hidden.shown(text);
    fuzz::require(whole == text || whole == healthz::detail::withheld, "a text is shown whole or not at all");
    bool const looks_withheld = text == healthz::detail::withheld;  // whether it is or not
    fuzz::require(secret.empty() || text.empty() || looks_withheld || (whole == text) == !has_piece(text, secret),
                  "no piece of a secret is shown, and nothing else is hidden");
    // Of a sentence that is known, what varies is shown or withheld, part by part.
    for (auto const each : sentences) {
        std::array const one{each};
        auto const known = hidden.known(text, one);
        if (!known) continue;
        auto const gaps = healthz::detail::match_sentence(text, each);
        fuzz::require(gaps.has_value(), "what is known matches");
        std::size_t at = 0;
        for (auto const& gap : *gaps) {
            fuzz::require(at <= gap.from && gap.from <= gap.to && gap.to <= text.size(), "what varies is in order");
            at = gap.to;
            auto const part = text.substr(gap.from, gap.to - gap.from);
            bool const leaks = !secret.empty() && has_piece(part, secret);
            std::array const alone{gap};
            fuzz::require(!leaks || hidden.shown(text, alone).find(healthz::detail::withheld) != std::string::npos,
                          "a part with a piece of a secret is withheld");
        }
    }
    return 0;
}
