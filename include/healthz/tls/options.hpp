// SPDX-License-Identifier: BSL-1.0
// The settings of a TLS connection, which several probers have.
// Needs a process with an environment; links with nothing.
#pragma once

#include "../hosted/setting.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// The authorities to trust, and the client's own certificate. The files contain PEM and are read for each new connection, so
/// that renewed ones are used.
struct tls_options {
    /// The certificates to trust instead of the system's.
    setting ca_file = setting();
    /// The client's certificate and those that lead from it to its authority, where the server asks for one, and its key.
    setting cert_file = setting();
    setting key_file = setting();
    /// Whether the server's certificate must be valid and name the host of the connection.
    bool verify = true;

    /// The files as they are now.
    struct files {
        std::string ca, cert, key;  ///< empty where not given
        std::string problem;        ///< the sentence for a FAILED
    };

    files read() const {
        files result;
        take(ca_file, "tls.ca_file", result.ca, result.problem);
        take(cert_file, "tls.cert_file", result.cert, result.problem);
        take(key_file, "tls.key_file", result.key, result.problem);
        if (result.problem.empty() && result.cert.empty() != result.key.empty())
            result.problem = result.key.empty() ? "the setting 'tls.key_file' is not set" : "the setting 'tls.cert_file' is not set";
        return result;
    }

private:
    static void take(setting const& from, std::string_view what, std::string& to, std::string& problem) {
        if (!from.given() || !problem.empty()) return;
        if (auto value = from.read_path(what, problem)) to = std::move(*value);
    }
};

}  // namespace healthz
