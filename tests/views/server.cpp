// SPDX-License-Identifier: BSL-1.0
// A server whose sources find what files say, so that scripts make them what they like, and one that is a PostgreSQL. Needs its variables: PORT (0 for any), SECRET, STATES (a
// folder); DRAIN (milliseconds), SEARCH_URL, and TLS_CERTIFICATE with TLS_KEY are optional. Ends on SIGTERM. With `--print NAME PROGRAM` it writes an artefact instead, with `--healthcheck` it asks the
// one that runs.
#include <healthz.hpp>
#include <healthz/artefacts/artefact.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/beast/tls.hpp>
#include <healthz/hosted/probe_self.hpp>
#include <healthz/probers/postgres.hpp>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace std::chrono_literals;

namespace {

std::string variable(char const* name, char const* otherwise = "") {
    char const* const value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

/// The first line of the file is the status, the rest the message and the extra. Without a file it is OK.
template <healthz::fixed_string Name>
struct file_prober {
    static constexpr char const* kind = "file";
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        std::ifstream file(variable("STATES") + "/" + std::string(Name.view()));
        std::string status, message, extra;
        if (!std::getline(file, status) || status == "OK") return healthz::ok();
        std::getline(file, message);
        extra.assign(std::istreambuf_iterator<char>(file), {});
        if (status == "TIMEOUT") return healthz::timeout();
        if (status == "FAILED") return healthz::failed(message);
        if (status == "JSON") return healthz::error(message, healthz::json_text{extra});
        return healthz::error(message, extra);
    }
};

constexpr healthz::health_check often{.interval = 200ms, .timeout = 2s, .retries = 0};
constexpr healthz::health_check slow{.interval = 200ms, .timeout = 2s, .retries = 0};
constexpr auto sources =
    healthz::sources(healthz::source<"orders">(file_prober<"orders">{}, often), healthz::source<"a\"b\\é">(file_prober<"odd">{}, often),
                     healthz::source<"cache">(file_prober<"cache">{}, often),
                     healthz::source<"search">(healthz::postgres{.url = healthz::env("SEARCH_URL")}, slow));

/// Blocks the thread that checks for as long as a file stands there.
struct block {
    void operator()(healthz::event const&) const {
        while (std::ifstream(variable("STATES") + "/block")) std::this_thread::sleep_for(10ms);
    }
};

}  // namespace

int main(int count, char** arguments) {
    std::string const mode = count > 1 ? arguments[1] : "";
    auto const port = static_cast<std::uint16_t>(std::atoi(variable("PORT", "0").c_str()));
    if (mode == "--healthcheck") return healthz::probe_self(port);
    if (mode == "--print" && count == 4) {
        healthz::deployment const how{.name = "shop", .port = port, .program = arguments[3], .secret_file = "/etc/shop/secret"};
        bool const known =
            healthz::write_artefact<sources, healthz::default_views>(arguments[2], how, [](std::string_view piece) { std::cout << piece; });
        return known ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    healthz::beast::options how{
        .port = port,
        .auth = healthz::admin_secret(healthz::env("SECRET")),
        .drain = std::chrono::milliseconds(std::atoi(variable("DRAIN", "0").c_str())),
        .on_listening = [](auto const& where) { std::cout << "listening " << where.port() << std::endl; },
        .on_verdict = block(),
    };
    if (!variable("TLS_CERTIFICATE").empty())
        how.transport = healthz::beast::tls{.certificate = healthz::env("TLS_CERTIFICATE"), .key = healthz::env("TLS_KEY")};
    return healthz::beast::serve<sources>(std::move(how));
}
