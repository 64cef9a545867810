#include "engine/model/sha256.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model {

namespace {

std::string digest(Sha256Blocks blocks, std::string_view text, std::size_t piece) {
    Sha256 hash(blocks);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        hash.update(std::as_bytes(std::span(text.substr(at, piece))));
    }
    return hash.hex_digest();
}

}  // namespace

TEST_CASE("every implementation gives the digests that NIST publishes for FIPS 180") {
    struct Case {
        std::string text;
        const char* digest;
    };
    const Case cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
         "mnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (const Sha256Kernel& kernel : sha256_kernels()) {
        CAPTURE(std::string(kernel.name));
        for (const Case& each : cases) {
            CHECK(digest(kernel.blocks, each.text, each.text.size() + 1) == each.digest);
        }
    }
}

TEST_CASE("the digest does not depend on how the bytes are split") {
    const std::string text(1000, 'x');
    for (const Sha256Kernel& kernel : sha256_kernels()) {
        CAPTURE(std::string(kernel.name));
        const std::string whole = digest(kernel.blocks, text, text.size());
        for (const std::size_t piece : {1U, 7U, 63U, 64U, 65U, 127U, 128U, 129U, 999U}) {
            CHECK(digest(kernel.blocks, text, piece) == whole);
        }
    }
}

TEST_CASE("all implementations agree at every length around a block, and read nothing beyond the end") {
    kernels::testing::Random random;
    INFO(random.replay());
    for (std::size_t length = 0; length <= 200; ++length) {
        kernels::testing::GuardedBuffer<std::byte> bytes(length);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.integer(0, 255));
        const std::span<const std::byte> span(bytes.data(), length);
        const std::string expected = sha256_hex(span);
        CHECK(expected.size() == 64);
        for (const Sha256Kernel& kernel : sha256_kernels()) {
            CAPTURE(std::string(kernel.name));
            CAPTURE(length);
            Sha256 hash(kernel.blocks);
            hash.update(span);
            CHECK(hash.hex_digest() == expected);
        }
    }
}

}  // namespace vgg19::model
