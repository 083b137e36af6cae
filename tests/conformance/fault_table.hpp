// SPDX-License-Identifier: BSL-1.0
// What is expected of a prober under each fault: a table in Markdown, the same that people read.
// Needs nothing.
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// What is told, and when: `at once`, `at the deadline`, `within one cycle`.
struct expectation {
    std::string verdict;  ///< OK, TIMEOUT, ERROR, FAILED
    std::string message;  ///< of an ERROR, the whole of it
    std::string quotes;   ///< what stands somewhere in the error
    std::string told;
};

/// Rows of `| fault | probers | verdict | message | quotes | told |`. A cell without a fault means the one above; probers are
/// separated by commas; `-` is nothing. Each fault has at most one row for a prober.
class fault_table {
public:
    explicit fault_table(std::string_view markdown) {
        std::istringstream lines{std::string(markdown)};
        std::string fault;
        for (std::string line; std::getline(lines, line);) {
            auto const cells = split(line, '|');
            if (cells.size() != 8 || cells[3] == "verdict" || cells[3].starts_with("---")) continue;
            if (!cells[1].empty()) fault = cells[1];
            for (auto const& prober : split(cells[2], ','))
                rows_.push_back({fault, prober, {cells[3], plain(cells[4]), plain(cells[5]), cells[6]}});
        }
        if (rows_.empty()) throw std::runtime_error("no fault table");
    }

    static fault_table read(std::string const& path) {
        std::ifstream file(path);
        return fault_table(std::string(std::istreambuf_iterator<char>(file), {}));
    }

    std::optional<expectation> find(std::string_view fault, std::string_view prober) const {
        for (auto const& each : rows_)
            if (each.fault == fault && each.prober == prober) return each.expected;
        return std::nullopt;
    }

    /// The faults that the table has a row for, of one prober.
    std::vector<std::string> faults(std::string_view prober) const {
        std::vector<std::string> found;
        for (auto const& each : rows_)
            if (each.prober == prober) found.push_back(each.fault);
        return found;
    }

private:
    struct row {
        std::string fault;
        std::string prober;
        expectation expected;
    };

    static std::vector<std::string> split(std::string_view text, char at) {
        std::vector<std::string> cells;
        while (true) {
            auto const end = text.find(at);
            auto cell = text.substr(0, end);
            while (cell.starts_with(' ')) cell.remove_prefix(1);
            while (cell.ends_with(' ')) cell.remove_suffix(1);
            cells.emplace_back(cell);
            if (end == text.npos) return cells;
            text.remove_prefix(end + 1);
        }
    }
    static std::string plain(std::string const& cell) {
        if (cell == "-") return {};
        bool const is_code = cell.size() > 2 && cell.front() == '`' && cell.back() == '`';
        return is_code ? cell.substr(1, cell.size() - 2) : cell;
    }

    std::vector<row> rows_;
};

}  // namespace test
