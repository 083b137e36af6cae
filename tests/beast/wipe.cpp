// SPDX-License-Identifier: BSL-1.0
// Secrets are gone from memory once they were used.
#include "client.hpp"
#include "memory.hpp"
#include "support.hpp"

#include <healthz/beast/listener.hpp>
#include <healthz/hosted/wipe.hpp>

#include <array>
#include <atomic>
#include <thread>

using test::found;
using test::masked_secret;
using test::unmask;

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
    {  // a request, and the first half of the next one, which moves to the front once the first was answered
        client c(listener->local_endpoint().port());
        static std::array<char, 8000> bytes;
        char* middle = healthz::detail::copy_text(
            "GET /healthz/sources HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz/sources HTTP/1.1\r\n"
            "Host: a\r\nX-Hasura-Admin-Secret: ",
            bytes.data());
        middle = unmask(masked, middle);
        bool const first = c.send({bytes.data(), static_cast<std::size_t>(middle - bytes.data())});
        bytes.fill(0);
        CHECK(first);
        CHECK(c.read().status == 401);
        bool const second = c.send("\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
        CHECK(second);
        CHECK(c.read().status == 401);
        CHECK(found(masked, stack) == 0);
    }
    boost::asio::post(context, [&] { listener->stop([] {}); });
    thread.join();
    CHECK(found(masked, stack) == 0);
}
