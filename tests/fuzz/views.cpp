// SPDX-License-Identifier: BSL-1.0
// Verdicts with texts of any bytes, and records of any numbers, in the page, its table, the documents and the metrics: always well formed, the
// same tags whatever the texts, and the texts as they are.
#include "exposition.hpp"
#include "html.hpp"
#include "watched.hpp"

#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>

#include <optional>

namespace {

using watched::sources;
using outcome = healthz::outcome;
constexpr std::size_t count = healthz::size_of<sources>;

struct state {
    healthz::report<sources> report;
    std::array<healthz::record, count> records;
    std::array<std::int64_t, count> checked{};
    std::int64_t now = 0;
    std::array<std::optional<outcome>, count> outcomes;

    healthz::view_data data() const {
        return healthz::view_data(healthz::detail::view_source{report.view(), records, healthz::detail::facts_of<sources>, checked, now});
    }
    void tell(std::size_t index, outcome const& found) {
        outcomes[index] = found;
        report.publish(index, found.status(), found.json(), records[index].since);
    }
};

template <class View>
std::string shown(View const& view, state const& from, std::string_view query, std::size_t type) {
    std::string text;
    view.write(from.data(), healthz::view_request{{}, query, type}, [&text](std::string_view piece) { text += piece; });
    fuzz::require(!query.empty() || text.size() <= View::template max_size<sources>, "no view is larger than its largest");
    fuzz::require(healthz::detail::is_utf8(text), "a view is UTF-8");
    return text;
}

boost::json::value parsed(std::string_view json) {
    boost::system::error_code ec;
    auto value = boost::json::parse(boost::json::string_view(json.data(), json.size()), ec);
    fuzz::require(!ec, "a document is JSON");
    return value;
}

std::string_view text_of(boost::json::value const& value) { return {value.as_string().data(), value.as_string().size()}; }

// The text of an error, and what its extra is; both may be missing.
struct error_texts {
    std::optional<std::string> message;
    std::optional<boost::json::value> extra;
};
error_texts texts_of(std::optional<outcome> const& found) {
    if (!found) return {};
    auto const value = parsed(found->json());
    if (value.is_string()) return {std::string(text_of(value)), {}};
    if (!value.is_object()) return {};
    error_texts texts{std::string(text_of(value.at("message"))), {}};
    if (auto const* extra = value.as_object().if_contains("extra")) texts.extra = *extra;
    return texts;
}

// What a page shows of a text: control characters, which HTML has none of, are replaced.
std::string without_controls(std::string_view text) {
    std::string result;
    for (char const c : text) {
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) result += "\xEF\xBF\xBD";
        else result += c;
    }
    return result;
}

// Another outcome of the same kind, with texts that nothing must be done about.
outcome plain(outcome const& found) {
    if (found.json() == "null") return found;
    if (found.status() != healthz::status::error) return outcome::failed("x");
    return outcome::error("x", texts_of(found).extra ? "x" : "");
}

void check_page(state const& now) {
    auto const document = shown(healthz::page(), now, {}, 1);
    auto const page = html::reader::read(document);
    auto other = now;
    for (std::size_t i = 0; i < count; ++i)
        if (now.outcomes[i]) other.tell(i, plain(*now.outcomes[i]));
    auto const other_document = shown(healthz::page(), other, {}, 1);
    auto const same = html::reader::read(other_document);
    fuzz::require(page.size() == same.size(), "texts add no tag");
    for (std::size_t i = 0; i < page.size(); ++i) fuzz::require(page[i].tag == same[i].tag, "texts change no tag");

    std::array<error_texts, count> all;
    for (std::size_t i = 0; i < count; ++i) all[i] = texts_of(now.outcomes[i]);
    std::optional<std::size_t> source;
    for (auto const& each : page) {
        if (each.tag.starts_with("<li ")) {
            auto const number = each.tag.find("data-n=\"");
            fuzz::require(number != each.tag.npos, "a source has its number");
            source = static_cast<std::size_t>(each.tag[number + 8] - '0');
        }
        if (!source) continue;
        auto const& texts = all[*source];
        if (each.tag == "<h2>") fuzz::require(each.text == without_controls(now.report.view().name(*source)), "a name is shown as it is");
        if (each.tag == "<p class=m>") fuzz::require(each.text == without_controls(texts.message.value()), "a message is shown as it is");
        if (each.tag != "<pre>") continue;
        auto const& extra = texts.extra.value();
        if (extra.is_string()) fuzz::require(each.text == without_controls(text_of(extra)), "a text is shown as it is");
        else if (each.text.find("\xEF\xBF\xBD") == std::string::npos) fuzz::require(parsed(each.text) == extra, "JSON is shown as it is");
    }
}

void check_table(state const& now) {
    auto const table = shown(healthz::page(), now, {}, 0);
    fuzz::require(static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n')) == 3 + count, "a source has one line");
    for (std::size_t i = 0; i < table.size(); ++i) {
        auto const c = static_cast<unsigned char>(table[i]);
        bool const is_c1 = c == 0xC2 && static_cast<unsigned char>(table[i + 1]) < 0xA0;
        fuzz::require((c >= 0x20 || c == '\n') && c != 0x7F && !is_c1, "a terminal gets no control character");
    }
}

void check_documents(state const& now) {
    for (std::string_view query : {"", "verbose=true"}) {
        auto const document = parsed(shown(healthz::document(), now, query, 0)).as_object();
        for (std::size_t i = 0; i < count; ++i) {
            auto const name = now.report.view().name(i);
            auto const* const entry = document.if_contains(boost::json::string_view(name.data(), name.size()));
            bool const is_there = now.report.view().status_of(i).has_value();
            fuzz::require((entry != nullptr) == is_there, "a source is in the document where it has a verdict");
            if (entry) fuzz::require(entry->at("error") == parsed(now.outcomes[i]->json()), "the document has the error as it is");
        }
    }
}

void check_metrics(state const& now) {
    auto const prometheus = exposition::reader::read(shown(healthz::metrics(), now, {}, 0), false);
    auto const open = exposition::reader::read(shown(healthz::metrics(), now, {}, 1), true);
    fuzz::require(prometheus == open, "both formats have the same series");
    fuzz::require(open <= healthz::metric_series<sources>, "there are no more series than there can be");
}

healthz::timestamp moment(FuzzedDataProvider& from) {
    return {from.ConsumeIntegral<std::uint32_t>(), from.ConsumeIntegralInRange<std::uint32_t>(0, 999'999'999)};
}

healthz::record any_record(FuzzedDataProvider& from) {
    healthz::record known;
    auto const bits = from.ConsumeIntegral<std::uint8_t>();
    known.checked = (bits & 1) != 0;
    known.was_ok = (bits & 2) != 0;
    known.maintenance = (bits & 4) != 0;
    known.attempts = from.ConsumeIntegral<std::uint16_t>();
    known.took = from.ConsumeIntegral<std::uint32_t>();
    for (auto* each : {&known.since, &known.last_check, &known.last_ok}) *each = moment(from);
    for (auto& each : known.checks) each = from.ConsumeIntegral<std::uint32_t>();
    for (auto* each : {&known.attempts_made, &known.measured, &known.changes}) *each = from.ConsumeIntegral<std::uint32_t>();
    for (auto* each : {&known.recent, &known.took_in_all}) *each = from.ConsumeIntegral<std::uint64_t>();
    return known;
}

outcome any_outcome(unsigned kind, std::string_view message, std::string_view extra) {
    switch (kind) {
        case 'k': return outcome::ok();
        case 't': return outcome::timeout();
        case 'f': return outcome::failed(message);
        case 'j': return outcome::error(message, healthz::json_text{"[1,{\"a\":\"<b>\\u0001&\"}]"});
        default: return outcome::error(message, extra);
    }
}

}  // namespace

// The first bytes say what each source is, then come two texts with a bar behind each, and what is left are numbers.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto input = fuzz::text_of(data, size);
    if (size < count) return 0;
    auto const kinds = input.substr(0, count);
    input.remove_prefix(count);
    auto const next_text = [&input] {
        auto const text = input.substr(0, input.find('|'));
        input.remove_prefix(std::min(input.size(), text.size() + 1));
        return text;
    };
    auto const message = next_text(), extra = next_text();
    FuzzedDataProvider from(reinterpret_cast<std::uint8_t const*>(input.data()), input.size());
    state now;
    now.now = from.ConsumeBool() ? 1'000'000'000 : 0;  // stale or not
    for (auto& each : now.records) each = any_record(from);
    for (std::size_t i = 0; i < count; ++i) {
        if (kinds[i] == '-') now.report.withdraw(i);
        else if (kinds[i] != '?') now.tell(i, any_outcome(static_cast<unsigned char>(kinds[i]), message, extra));
    }
    check_page(now);
    check_table(now);
    check_documents(now);
    check_metrics(now);
    return 0;
}
