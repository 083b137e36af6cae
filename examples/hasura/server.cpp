// SPDX-License-Identifier: BSL-1.0
// Serves the sources of Hasura's metadata. `run.sh` compiles it with the metadata that it is given.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hasura/agent.hpp>
#include <healthz/hasura/sources.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/hosted/probe_self.hpp>
#include <healthz/probers/mssql.hpp>
#include <healthz/probers/postgres.hpp>

#include <metadata.hpp>

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <string>

#ifdef CHECK_ALL
constexpr auto sources = healthz::hasura::sources<metadata>(healthz::health_check{.interval = std::chrono::seconds(CHECK_ALL)});
#else
constexpr auto sources = healthz::hasura::sources<metadata>();
#endif

std::string setting(char const* name, char const* otherwise) {
    char const* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

int main(int count, char** arguments) {
    auto const port_text = setting("PORT", "8080");
    std::uint16_t port = 0;
    auto const [end, code] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (code != std::errc() || end != port_text.data() + port_text.size()) {
        std::cerr << "PORT must be a number from 0 to 65535\n";
        return EXIT_FAILURE;
    }
    auto const address = setting("ADDRESS", "127.0.0.1");
    if (count > 1 && std::string_view(arguments[1]) == "--healthcheck") return healthz::probe_self(port, "/livez", address.c_str());
    healthz::beast::options how{
        .address = address,
        .port = port,
        .auth = healthz::admin_secret(healthz::env("HASURA_GRAPHQL_ADMIN_SECRET")),
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict = healthz::health_log(std::cout, healthz::logged::changes),
    };
    if (setting("ALLOW_UNAUTHENTICATED", "") == "true") how.auth = healthz::allow_unauthenticated{};
    return healthz::beast::serve<sources>(std::move(how));
}
