// SPDX-License-Identifier: BSL-1.0
// The demo's sources, checked on a thread of their own, and a site that shows them: what a program has beside its HTTP server.
#include "demo.hpp"

#include "../demo_sources.hpp"

#include <healthz/asio/background.hpp>
#include <healthz/hosted/admin_secret.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/hosted/site.hpp>

#include <pthread.h>
#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <iostream>

healthz::site<sources>& site() {
    static healthz::site<sources> only{healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET"))};
    return only;
}

healthz::site_answer answer_to(healthz::http_request const& request) { return site().answer_to(request); }

sigset_t end_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    return signals;
}

void wait_for_end() {
    auto const signals = end_signals();
    int received = 0;
    ::sigwait(&signals, &received);
}

int main() try {
    std::string_view const text = std::getenv("PORT") != nullptr ? std::getenv("PORT") : "8080";
    std::uint16_t port = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc() || end != text.data() + text.size()) throw std::runtime_error("PORT must be a number from 0 to 65535");
    if (auto const problem = site().problem(); !problem.empty()) throw std::runtime_error(problem);

    auto const signals = end_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // for all threads to come: `wait_for_end` takes them
    ::signal(SIGPIPE, SIG_IGN);
    healthz::background<sources> const checks(site(), {.on_change = healthz::health_log(std::cout, healthz::logged::changes)});
    serve(port);
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
}
