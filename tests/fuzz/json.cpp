// SPDX-License-Identifier: BSL-1.0
// Texts of any bytes as outcomes: always JSON that says the same, within the capacity, and cut between characters.
#include "fuzz.hpp"

#include <healthz/outcome.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace {

// The same text with each byte that is no UTF-8 replaced, by another reading of RFC 3629 than the library's.
std::string repaired(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        auto const byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
        std::size_t length = 0;
        std::uint32_t point = byte(i);
        if (point < 0x80) length = 1;
        else if (point >= 0xC0 && point < 0xE0) length = 2, point &= 0x1F;
        else if (point >= 0xE0 && point < 0xF0) length = 3, point &= 0x0F;
        else if (point >= 0xF0 && point < 0xF8) length = 4, point &= 0x07;
        for (std::size_t k = 1; k < length; ++k) {
            if ((byte(i + k) & 0xC0) != 0x80) {
                length = 0;
                break;
            }
            point = point << 6 | (byte(i + k) & 0x3F);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (length == 0 || point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
            result += "\xEF\xBF\xBD";
            ++i;
        } else {
            result += text.substr(i, length);
            i += length;
        }
    }
    return result;
}

boost::json::value parsed(std::string_view json) {
    boost::system::error_code ec;
    auto value = boost::json::parse(boost::json::string_view(json.data(), json.size()), ec);
    fuzz::require(!ec, "an error is JSON");
    return value;
}

// Whether `shown` is `text`, or as much of it as fits.
void check_text(boost::json::value const& shown, std::string_view text, bool may_be_cut) {
    auto const whole = repaired(text);
    auto const& s = shown.as_string();
    std::string_view const got(s.data(), s.size());
    fuzz::require(may_be_cut ? whole.starts_with(got) : whole == got, "a text says what it said");
}

template <std::size_t Capacity>
void check(std::string_view message, std::string_view extra) {
    using outcome = healthz::basic_outcome<Capacity>;
    auto const failed = outcome::failed(message), error = outcome::error(message, extra);
    for (auto const& each : {failed, error}) fuzz::require(each.json().size() <= Capacity, "an error fits into its room");
    bool const roomy = Capacity >= 6 * (message.size() + extra.size()) + 64;
    if (!message.empty()) check_text(parsed(failed.json()), message, !roomy);
    auto const object = parsed(error.json()).as_object();
    if (!message.empty()) check_text(object.at("message"), message, !roomy);
    if (object.contains("extra")) check_text(object.at("extra"), extra, !roomy);
    fuzz::require(!roomy || object.contains("extra") == !extra.empty(), "an extra is there where it fits");
    // As a part of a whole, and with JSON in it.
    for (auto const& each : {failed, error}) {
        auto const part = healthz::basic_outcome<Capacity>::part(extra, each.status(), each.json());
        fuzz::require(part.json().size() <= Capacity, "a part fits into its room");
        parsed(part.json());
        parsed(healthz::basic_outcome<512>::part(message, each.status(), each.json()).json());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = fuzz::text_of(data, size);
    auto const middle = std::min(text.size(), text.find('|'));
    auto const message = text.substr(0, middle), extra = text.substr(std::min(text.size(), middle + 1));
    check<32>(message, extra);
    check<128>(message, extra);
    check<4096>(message, extra);
    return 0;
}
