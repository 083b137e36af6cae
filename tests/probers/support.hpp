// SPDX-License-Identifier: BSL-1.0
// What the tests of network probers share: single probes, servers that misbehave, and what must not be left behind.
#pragma once

#include "../asio/support.hpp"
#include "../conformance/odd_servers.hpp"
#include "certificates.hpp"

#include <boost/asio/detached.hpp>

namespace test {

namespace net = boost::asio;

/// Writes what a prober asks, while nobody checks. A blocking check that was given up may still read it, without a word to anybody:
/// the thread sanitizer is not to look, for what that one asks is of no matter.
template <std::size_t Size>
__attribute__((noinline, no_sanitize("thread"))) void rewrite(char (&place)[Size], std::string const& text) {
    REQUIRE(live_ones == 0);
    REQUIRE(text.size() < Size);
    char volatile* out = place;
    for (char const c : text) *out++ = c;
    *out = '\0';
}

/// Probes once, without a runner: status and error, such as `OK null`. Another text if it does not end in time.
template <class Session>
std::string probe(net::io_context& context, Session& session, milliseconds timeout = 20s) {
    std::string found = "does not end";
    auto task = [&]() -> net::awaitable<void> {
        auto awaitable = healthz::detail::probe(session, healthz::attempt{timeout});
        auto const result = co_await std::move(awaitable);
        found = std::string(to_string(result.status())) + " " + std::string(result.json());
    };
    net::co_spawn(context, task(), net::detached);
    context.restart();
    context.run_for(timeout);
    return found;
}
template <class Prober>
std::string probe(Prober const& prober) {
    net::io_context context;  // outlives the session, whose connection it watches
    healthz::session_of<Prober> session(prober);
    return probe(context, session);
}

inline std::string error(std::string const& message, std::string const& extra) {
    return R"(ERROR {"message":")" + message + R"(","extra":")" + extra + R"("})";
}

/// Probes 1,000 times (fewer where a sanitizer makes it slow) in one session, and checks that each outcome begins with `wanted`
/// and that no descriptor, memory or thread is left behind.
template <class Prober>
void probe_1000_times(Prober const& prober, std::string const& wanted) {
    struct {
        std::size_t descriptors;
        long memory, threads;
    } early{}, late{};
    net::io_context context;
    healthz::session_of<Prober> session(prober);
    auto const look = [&](auto& here) { here = {open_descriptors(), process_status("VmRSS"), process_status("Threads")}; };
    constexpr int count = sanitized ? 400 : 1000;
    int as_wanted = 0;
    for (int i = 1; i <= count; ++i) {
        as_wanted += probe(context, session).starts_with(wanted);
        if (i == 100) look(early);
    }
    look(late);
    CHECK(as_wanted == count);
    CHECK(late.descriptors <= early.descriptors + 1);  // one that a server in this process has yet to close
    // A worker that was late to become idle had another one started; it ends after ten seconds.
    CHECK(eventually([&] { return process_status("Threads") <= early.threads + 1; }));
    INFO("kB: " << early.memory << " to " << late.memory);
    if (!sanitized) CHECK(late.memory - early.memory < 2000);
}

/// Gives attempts up after each of `pauses`, as a runner does at a deadline, and checks that each ends and leaves no
/// descriptor behind.
template <class Session>
void give_up_after(net::io_context& context, Session& session, std::vector<milliseconds> const& pauses) {
    std::size_t before = 0;
    net::ip::tcp::socket(context, net::ip::tcp::v4());  // so that the context has all that it needs itself
    for (auto pause : pauses) {
        net::cancellation_signal cancel;
        bool ended = false;
        auto task = [&]() -> net::awaitable<void> {
            auto awaitable = healthz::detail::probe(session, healthz::attempt{200ms});
            co_await std::move(awaitable);
        };
        auto token = net::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; });
        net::co_spawn(context, task(), token);
        context.restart();
        context.run_for(pause);
        cancel.emit(net::cancellation_type::terminal);
        context.restart();
        context.run();
        CHECK(ended);
        if (before == 0) before = open_descriptors();
    }
    CHECK(open_descriptors() <= before + 1);  // the one that an attempt in time has left in the session
}

inline std::string percent_encoded(std::string const& text) {
    std::string result;
    for (char c : text) {
        constexpr char hex[] = "0123456789ABCDEF";
        auto const byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0) result += c;
        else result.append("%") += {hex[byte >> 4], hex[byte & 15]};
    }
    return result;
}

/// Passwords with every kind of character, some of which look like parts of a URL when they are not percent-encoded.
inline std::vector<std::string> hard_passwords() {
    std::vector<std::string> result = {"Xq7ZVw9J",       "Xq7Z@Vw9J",
                                       "5432/Xq7Z@Vw9J", "5432/Xq7Z",
                                       "5432?Xq7Z",      "@Xq7Z@Vw9J@",
                                       "/Xq7Z/Vw9J/",    "[Xq7Z]Vw9J",
                                       "[::1]:5/Xq7Z",   "Xq7Z%Vw9J",
                                       "Xq7Z%41Vw9J",    "1@h/Xq7Z@Vw9J",
                                       "1/2?Xq7Z",       "Xq7Z@Vw9J/Rm4Y?Lb8N=Gh2D&Kf6T=Pz3S Wn5B'Hc1M\""};
    for (char c : std::string_view(" '\"%?#=&:,;\\/@[]!$()*+<>{}|^`~\t")) result.push_back(std::string("Xq7Z") + c + "Vw9J");
    return result;
}

/// How a URL with `password` may look, well-formed or not; `place` is `host:port`.
inline std::vector<std::string> urls_with(std::string const& scheme, std::string const& password, std::string const& place) {
    std::vector<std::string> urls;
    for (auto const& form : {password, percent_encoded(password)})
        for (auto const& begin :
             {scheme + "://monitor:", scheme + "://:", scheme + ":/monitor:", std::string("monitor:"), "x" + scheme + "://a:"})
            for (auto const& rest : {place + "/1", place + "/999", place + "/1?optoin=1", std::string("127.0.0.1:54x/1"),
                                     std::string("127.0.0.1:1/1"), std::string("no such host/1"), std::string("[::1]/" + form)})
                urls.push_back(begin + form + "@" + rest);
    return urls;
}

}  // namespace test
