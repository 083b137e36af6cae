// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/sha256.hpp>

#include <string>

using namespace std::string_view_literals;

namespace {

constexpr bool digests_to(std::string_view text, std::string_view expected) {
    char hex[64]{};
    auto const digest = healthz::sha256(text);
    for (std::size_t i = 0; i < 32; ++i) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 0xF];
    }
    return std::string_view(hex, 64) == expected;
}

// The examples of FIPS 180-4, of one block and of two, and the empty text.
constexpr bool the_standards_examples() {
    return digests_to("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") &&
           digests_to("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") &&
           digests_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") &&
           digests_to(
               "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
               "t"
               "nopqrstu",
               "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}
static_assert(the_standards_examples());

constexpr auto repeated_a =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv;
static_assert(repeated_a.size() == 120);

// Lengths around the ends of a block and of the room for the length in it; digests by sha256sum.
constexpr bool lengths_around_a_block() {
    return digests_to(repeated_a.substr(0, 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318") &&
           digests_to(repeated_a.substr(0, 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a") &&
           digests_to(repeated_a.substr(0, 63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34") &&
           digests_to(repeated_a.substr(0, 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb") &&
           digests_to(repeated_a.substr(0, 65), "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0") &&
           digests_to(repeated_a.substr(0, 119), "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb") &&
           digests_to(repeated_a, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c");
}
static_assert(lengths_around_a_block());

constexpr bool any_bytes_have_a_digest() {
    return digests_to("\0\x7F\x80\xFF"sv, "89273d2f70b93285bb7ddb4bcee86a5347ca7159352e3cbdd20c23e9d1e507d3");
}
static_assert(any_bytes_have_a_digest());

constexpr bool digests_are_compared_in_full() {
    auto const a = healthz::sha256("a");
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto b = a;
        b[i] ^= 1;
        if (healthz::same_digest(a, b)) return false;
    }
    return healthz::same_digest(a, a);
}
static_assert(digests_are_compared_in_full());

}  // namespace

TEST_CASE("sha256: digests") {
    CHECK(at_run_time(the_standards_examples));
    CHECK(at_run_time(lengths_around_a_block));
    CHECK(at_run_time(any_bytes_have_a_digest));
}

TEST_CASE("sha256: comparison") { CHECK(at_run_time(digests_are_compared_in_full)); }

TEST_CASE("sha256: a million letters") {
    CHECK(digests_to(std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

// The digests of 0 to 200 letters, one behind the other in hexadecimal; the digest of that by sha256sum.
TEST_CASE("sha256: all lengths to 200") {
    std::string all;
    for (std::size_t size = 0; size <= 200; ++size)
        for (auto byte : healthz::sha256(std::string(size, 'a'))) {
            all += "0123456789abcdef"[byte >> 4];
            all += "0123456789abcdef"[byte & 0xF];
        }
    CHECK(digests_to(all, "eb555248bd20c7831e511d4461b42c9b084e3a64b44d57b00051172f8afe03ff"));
}
