// SPDX-License-Identifier: BSL-1.0
// What the tests of the probers that need only the system share: a folder of files, and single probes.
#pragma once

#include "../catch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

namespace test {

/// A directory of the test's own.
struct folder {
    std::string path = "/tmp/healthz_system_XXXXXX";
    folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~folder() { std::filesystem::remove_all(path); }
    /// Writes a file, in a folder below this one if `name` has one, and returns its path.
    std::string write(std::string const& name, std::string const& content) const {
        std::filesystem::path const file = path + "/" + name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
        return file;
    }
};

/// Probes once: status and error, such as `OK null`.
template <class Prober>
std::string look(Prober const& prober) {
    auto const found = prober.probe();
    return std::string(to_string(found.status())) + " " + std::string(found.json());
}

}  // namespace test
