// SPDX-License-Identifier: BSL-1.0
// What open views say of random declarations, in random states: no name, and no text of an error.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/views/probes.hpp>

#include <string>

using healthz::open_data;
using healthz::view_request;

namespace {

/// A declaration of `Count` sources that is made at run time: its rows are what the compiler would have made.
template <std::size_t Count>
struct random_declaration {
    std::array<std::string, Count> names;
    std::array<healthz::detail::source_row, Count> rows{};
    std::array<healthz::detail::verdict_record, Count> verdicts{};
    std::array<healthz::record, Count> records{};
    std::array<healthz::detail::source_facts, Count> facts{};
    std::array<std::int64_t, Count> checked{};
    std::string texts;
    std::int64_t now;
    bool draining;

    explicit random_declaration(dice& roll) : now(roll(100000)), draining(roll(2) == 0) {
        for (std::size_t i = 0; i < Count; ++i) {
            // Letters that are in no word of ours, and all that may be in a name.
            for (std::uint32_t n = 3 + roll(20); n > 0; --n) names[i] += static_cast<char>('A' + roll(26));
            for (std::uint32_t n = roll(3); n > 0; --n) names[i] += " \"\\%é&="[roll(4)];
            std::string const text = roll(2) == 0 ? "\"Zq7 text\"" : R"({"message":"Zq7 text","extra":"Zq7"})";
            rows[i] = {names[i].data(),
                       static_cast<std::uint32_t>(texts.size()),
                       {},
                       64,
                       static_cast<std::uint16_t>(names[i].size()),
                       static_cast<std::uint16_t>(names[i].size()),
                       false};
            if (roll(6) == 0) verdicts[i] = healthz::detail::verdict_record::off();
            else if (roll(5) > 0) verdicts[i] = {static_cast<healthz::status>(roll(4)), text.size(), {1660037525, 0}};
            texts += text;
            records[i].maintenance = roll(8) == 0;
            facts[i] = {roll(100000), "Zq7 kind", roll(2) == 0};
            checked[i] = roll(100000);
        }
    }
    healthz::detail::view_source source() const { return {{rows, verdicts.data(), texts.data()}, records, facts, checked, now, draining}; }

    struct data : open_data {
        using open_data::open_data;
        static constexpr std::size_t count = Count;
    };
};

/// Everything that open views say, for each query.
template <class Data>
std::string all_said(Data const& data, std::string const& name) {
    std::string said;
    auto const ask = [&](auto const& view, view_request const& request) {
        said += std::to_string(view.status(data, request)) + " ";
        view.write(data, request, [&said](std::string_view piece) { said += piece; });
    };
    for (std::string const& query : {std::string(), std::string("verbose"), "verbose&exclude=" + name}) {
        ask(healthz::live<>{}, {.query = query});
        ask(healthz::ready<>{}, {.query = query});
        ask(healthz::startup{}, {.query = query});
        ask(healthz::hello{}, {.query = query});
    }
    return said;
}

template <std::size_t Count>
bool tells_nothing(dice& roll) {
    random_declaration<Count> const one(roll);
    auto const said = all_said(typename random_declaration<Count>::data(one.source()), one.names[0]);
    bool tells = said.find("Zq7") != said.npos;
    for (auto const& name : one.names) tells |= said.find(name) != said.npos;
    return !tells && said.find("readyz check ") != said.npos;
}

}  // namespace

TEST_CASE("open views tell no name and no text, of 1,000 random declarations") {
    dice roll;
    std::size_t good = 0;
    for (int i = 0; i < 200; ++i)
        good += tells_nothing<1>(roll) + tells_nothing<2>(roll) + tells_nothing<3>(roll) + tells_nothing<8>(roll) + tells_nothing<40>(roll);
    CHECK(good == 1000);
}
