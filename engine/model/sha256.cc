#include "engine/model/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/model/sha256_blocks.h"

namespace vgg19::model {

namespace {

/// FIPS 180-4, 5.3.3.
constexpr std::array<std::uint32_t, 8> initial_state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

std::uint32_t read_big_endian(const std::byte* bytes) {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = (word << 8U) | std::to_integer<std::uint32_t>(bytes[i]);
    return word;
}

std::array<std::uint32_t, 64> message_schedule(const std::byte* block) {
    std::array<std::uint32_t, 64> w{};
    for (std::size_t t = 0; t < 16; ++t) w[t] = read_big_endian(block + 4 * t);
    for (std::size_t t = 16; t < w.size(); ++t) {
        const std::uint32_t sigma0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3U);
        const std::uint32_t sigma1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10U);
        w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
    }
    return w;
}

void sha256_blocks_portable(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
    for (; count > 0; --count, blocks += sha256_block_bytes) {
        const std::array<std::uint32_t, 64> w = message_schedule(blocks);
        std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        std::uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (std::size_t t = 0; t < w.size(); ++t) {
            const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
            const std::uint32_t choice = (e & f) ^ (~e & g);
            const std::uint32_t t1 = h + sum1 + choice + sha256_constants[t] + w[t];
            const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
            const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
            h = g, g = f, f = e, e = d + t1;
            d = c, c = b, b = a, a = t1 + sum0 + majority;
        }
        const std::array<std::uint32_t, 8> after = {a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < after.size(); ++i) state[i] += after[i];
    }
}

Sha256Blocks fastest_blocks() {
    static const Sha256Blocks fastest = sha256_kernels().front().blocks;
    return fastest;
}

}  // namespace

std::vector<Sha256Kernel> sha256_kernels() {
    std::vector<Sha256Kernel> kernels;
#if VGG19_HAS_SHA_INSTRUCTIONS  // set by CMake, which compiles them where it knows the processor
    if (cpu_has_sha()) kernels.push_back({"instructions", sha256_blocks_instructions});
#endif
    kernels.push_back({"portable", sha256_blocks_portable});
    return kernels;
}

Sha256::Sha256() : Sha256(fastest_blocks()) {}

Sha256::Sha256(Sha256Blocks blocks) : blocks_(blocks), state_(initial_state) {}

void Sha256::update(std::span<const std::byte> bytes) {
    total_bytes_ += bytes.size();
    if (block_bytes_ > 0) {
        const std::size_t taken = std::min(bytes.size(), block_.size() - block_bytes_);
        std::copy_n(bytes.begin(), taken, block_.begin() + static_cast<std::ptrdiff_t>(block_bytes_));
        block_bytes_ += taken;
        bytes = bytes.subspan(taken);
        if (block_bytes_ < block_.size()) return;
        blocks_(state_.data(), block_.data(), 1);
        block_bytes_ = 0;
    }
    const std::size_t whole_blocks = bytes.size() / sha256_block_bytes;
    blocks_(state_.data(), bytes.data(), whole_blocks);
    const std::span<const std::byte> rest = bytes.subspan(whole_blocks * sha256_block_bytes);
    std::copy(rest.begin(), rest.end(), block_.begin());
    block_bytes_ = rest.size();
}

std::string Sha256::hex_digest() {
    // FIPS 180-4, 5.1.1: a one bit, zeros, and the message's length in bits in the last eight bytes.
    const std::uint64_t bits = total_bytes_ * 8;
    std::array<std::byte, 72> padding{std::byte{0x80}};
    const std::size_t zeros_end = block_bytes_ < 56 ? 56 - block_bytes_ : 120 - block_bytes_;
    for (std::size_t i = 0; i < 8; ++i) {
        padding[zeros_end + i] = static_cast<std::byte>((bits >> (56 - 8 * i)) & 0xFFU);
    }
    update(std::span(padding).first(zeros_end + 8));

    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const std::uint32_t word : state_) {
        for (unsigned shift = 32; shift > 0; shift -= 4) hex += digits[(word >> (shift - 4)) & 15U];
    }
    return hex;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex_digest();
}

}  // namespace vgg19::model
