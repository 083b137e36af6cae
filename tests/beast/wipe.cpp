// SPDX-License-Identifier: BSL-1.0
// What was secret is looked for in the memory of this process, which therefore never holds it in clear itself.
#include "client.hpp"
#include "support.hpp"

#include <healthz/beast/listener.hpp>
#include <healthz/hosted/wipe.hpp>

#include <fcntl.h>

#include <array>
#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

namespace {

/// Forty characters like no others, masked.
std::array<char, 40> masked_secret(int seed) {
    std::array<char, 40> result;
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = static_cast<char>(0x80 | ('A' + (i * 7 + static_cast<std::size_t>(seed) * 11 + i * i % 13) % 26));
    return result;
}

char* unmask(std::array<char, 40> const& masked, char* out) {
    for (char const c : masked) *out++ = static_cast<char>(c & 0x7F);
    return out;
}

/// How often a secret stands in the memory that this process can write. Looks into what is there only: a sanitizer reserves more; and
/// not into the stacks, of this thread and of `other`: registers are saved there, with what was last copied through them.
int found(std::array<char, 40> const& masked, void const* other = nullptr) {
    constexpr std::size_t begin_of_rest = 16;  // the first bytes of what is freed are overwritten
    int count = 0;
    std::ifstream maps("/proc/self/maps");
    int const memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    int const pages = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    REQUIRE(memory >= 0);
    REQUIRE(pages >= 0);
    static std::array<char, 4096> page;
    static std::array<std::uint64_t, 4096> present;
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0, end = 0;
        char readable = 0, writable = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx %c%c", &begin, &end, &readable, &writable) != 4 || readable != 'r' || writable != 'w')
            continue;
        auto const holds = [=](void const* at) { return reinterpret_cast<unsigned long>(at) - begin < end - begin; };
        if (end - begin > 1ul << 36 || holds(&count) || holds(other)) continue;  // the first is a sanitizer's shadow
        std::size_t matched = 0;
        for (unsigned long at = begin; at < end; at += 4096) {
            auto const number = (at - begin) / 4096 % present.size();
            if (number == 0) {
                auto const got = ::pread(pages, present.data(), sizeof present, static_cast<off_t>(at / 4096 * 8));
                if (got < 8) break;
            }
            if ((present[number] >> 62) == 0) {  // neither in memory nor swapped out
                matched = 0;
                continue;
            }
            if (::pread(memory, page.data(), page.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(page.size())) break;
            for (char const* next = page.data(); next != page.data() + page.size(); ++next) {
                auto const character = [&](std::size_t i) { return static_cast<char>(masked[begin_of_rest + i] & 0x7F); };
                if (matched == 0) {  // by a call that sanitizers do not slow down
                    void const* const first = std::memchr(next, character(0), static_cast<std::size_t>(page.data() + page.size() - next));
                    if (first == nullptr) break;
                    next = static_cast<char const*>(first);
                }
                matched = *next == character(matched) ? matched + 1 : *next == character(0) ? 1 : 0;
                if (matched == masked.size() - begin_of_rest) ++count, matched = 0;
            }
        }
    }
    ::close(memory);
    ::close(pages);
    page.fill(0);
    return count;
}

}  // namespace

TEST_CASE("wipe leaves nothing, and a wiping allocator leaves nothing behind") {
    auto const masked = masked_secret(1);
    std::vector<char, healthz::detail::wiping_allocator<char>> kept(masked.size());
    unmask(masked, kept.data());
    CHECK(found(masked) == 1);  // so this way of looking finds what there is
    kept.resize(100000);
    CHECK(found(masked) == 1);
    healthz::detail::wipe(kept.data(), kept.size());
    CHECK(found(masked) == 0);
    unmask(masked, kept.data() + 5000);
    kept = decltype(kept)();
    CHECK(found(masked) == 0);
}

TEST_CASE("a policy of secrets leaves them where they come from only") {
    auto const masked = masked_secret(2);
    std::array<char, 41> text{};
    unmask(masked, text.data());
    healthz::admin_secret const policy(text.data());
    CHECK(policy.accepts(text.data()));
    text.fill(0);
    CHECK(found(masked) == 0);
}

TEST_CASE("an offered secret is gone when its request has been answered") {
    healthz::shared_document document;
    boost::asio::io_context context{1};
    auto const listener = std::make_shared<healthz::beast::detail::listener>(
        context, document_server(document, one_secret(), std::string(healthz::default_path)), healthz::beast::limits());
    boost::system::error_code ec;
    listener->listen({boost::asio::ip::make_address("127.0.0.1"), 0}, ec);
    REQUIRE(!ec);
    std::atomic<void const*> stack = nullptr;
    std::thread thread([&] {
        char const here = 0;
        stack = &here;
        context.run();
    });
    auto const masked = masked_secret(3);
    {
        client c(listener->local_endpoint().port());
        static std::array<char, 8000> bytes;  // a long one, too, for which the buffer grows
        for (std::size_t padding : {0u, 6000u}) {
            for (std::size_t pieces : {10000u, 37u}) {
                char* end = healthz::detail::copy_text("GET /healthz/sources HTTP/1.1\r\nHost: a\r\nX-Hasura-Admin-Secret: ", bytes.data());
                end = healthz::detail::copy_text("\r\nX: ", unmask(masked, end));
                end = healthz::detail::copy_text("\r\n\r\n", std::fill_n(end, padding, 'x'));
                bool const sent = c.send_in_pieces({bytes.data(), static_cast<std::size_t>(end - bytes.data())}, pieces);
                bytes.fill(0);
                CHECK(sent);
                CHECK(c.read().status == 401);
                CHECK(found(masked, stack) == 0);
            }
        }
    }
    boost::asio::post(context, [&] { listener->stop([] {}); });
    thread.join();
    CHECK(found(masked, stack) == 0);
}
