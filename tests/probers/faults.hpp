// SPDX-License-Identifier: BSL-1.0
// Runs the conformance suite with the table of this folder, as tests.
#pragma once

#include "../conformance/conformance.hpp"
#include "support.hpp"

namespace test {

/// What the databases' probers ask. Written only to change it.
inline char question[200] = "SELECT 1";
inline void ask(std::string const& text) {
    if (text != question) rewrite(question, text);
}

template <class Subject>
void is_as_the_table_says() {
    Subject subject;
    auto const table = fault_table::read((std::filesystem::path(__FILE__).parent_path() / "faults.md").string());
    CHECK(table.faults(Subject::name).size() > 0);
    for (auto const& each : conformance<Subject>(subject, table).run()) {
        INFO(Subject::name << ": " << each.fault << ": " << each.seen);
        CHECK(each.complaint == "");
    }
}

}  // namespace test
