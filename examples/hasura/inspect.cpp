// SPDX-License-Identifier: BSL-1.0
// Usage: inspect FILE [--all]
//
// Says in one line what is wrong with a file of Hasura's metadata, before a compiler would; with --all of sources without health_check, too.
#include <healthz/hasura/metadata.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

constexpr std::size_t most_bytes = 8 * 1024 * 1024;  // as the build step has it

int refuse(std::string const& sentence) {
    std::cerr << sentence << '\n';
    return EXIT_FAILURE;
}

// Names come from a file: without what a terminal obeys.
std::string shown(std::string_view name) {
    std::string out;
    for (char const c : name.substr(0, 100)) out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    return name.size() > 100 ? out + "..." : out;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) return refuse("usage: inspect FILE [--all]");
    std::string const file = arguments[1];
    std::error_code ec;
    auto const kind = std::filesystem::status(file, ec).type();
    if (kind == std::filesystem::file_type::not_found) return refuse(file + ": there is no such file");
    if (kind != std::filesystem::file_type::regular) return refuse(file + ": this is no regular file");
    auto const size = std::filesystem::file_size(file, ec);
    if (size > most_bytes)
        return refuse(file + ": this metadata has " + std::to_string(size) + " bytes, and more than " + std::to_string(most_bytes) +
                      " are too many");
    std::ifstream in(file, std::ios::binary);
    if (!in) return refuse(file + ": this file cannot be read");
    std::string const text{std::istreambuf_iterator<char>(in), {}};
    // One that begins so could pretend to be cut already.
    if (text.starts_with(healthz::hasura::mark))
        return refuse(file + ":1:1: this metadata is no JSON here: a value is missing or misspelt");
    bool const all = count > 2 && std::string_view(arguments[2]) == "--all";
    auto const found = healthz::hasura::inspect(text, all);
    if (found.what == healthz::hasura::mistake::none) return EXIT_SUCCESS;
    bool const may_check_all = found.what == healthz::hasura::mistake::none_checked && !all;
    auto const source = found.source.empty() ? std::string() : "source \"" + shown(found.source) + "\": ";
    return refuse(file + ':' + std::to_string(found.where.line) + ':' + std::to_string(found.where.column) + ": " + source +
                  std::string(healthz::hasura::to_string(found.what)) + (may_check_all ? ", in seconds: CHECK_ALL=30" : ""));
}
