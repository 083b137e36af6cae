// SPDX-License-Identifier: BSL-1.0
// The demo server. `examples/run.sh` builds it, sets its environment and starts it. `demo --print` lists what the declaration
// can write about itself, `demo --print NAME` writes it, and `demo --healthcheck` asks the one that runs.
#include "demo_sources.hpp"

#include <healthz/artefacts/artefact.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/hosted/probe_self.hpp>

#include <charconv>
#include <cstdlib>
#include <iostream>

void log_refused(healthz::beast::refused const& r) {
    std::cout << r.client << " was refused " << r.count << " times: " << healthz::error_of(r.how).status << std::endl;
}

int print(std::string_view name, std::uint16_t port) {
    if (name.empty()) {
        healthz::for_each_artefact([](std::string_view each, std::string_view about) { std::cout << each << ": " << about << '\n'; });
        return EXIT_SUCCESS;
    }
    if (healthz::write_artefact<sources, healthz::default_views>(name, {.name = "demo", .port = port},
                                                                 [](std::string_view piece) { std::cout << piece; }))
        return EXIT_SUCCESS;
    std::cerr << "there is no artefact '" << name << "'\n";
    return EXIT_FAILURE;
}

int main(int count, char** arguments) {
    std::string_view const port_text = std::getenv("PORT") != nullptr ? std::getenv("PORT") : "8080";
    std::uint16_t port = 0;
    auto const [end, code] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (code != std::errc() || end != port_text.data() + port_text.size()) {
        std::cerr << "PORT must be a number from 0 to 65535\n";
        return EXIT_FAILURE;
    }
    std::string_view const mode = count > 1 ? arguments[1] : "";
    if (mode == "--print") return print(count > 2 ? arguments[2] : "", port);
    if (mode == "--healthcheck") return healthz::probe_self(port);
    return healthz::beast::serve<sources>({
        .port = port,
        .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")),
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict = healthz::health_log(std::cout, healthz::logged::changes),
        .on_refused = log_refused,
    });
}
