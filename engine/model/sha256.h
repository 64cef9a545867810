// SHA-256 (FIPS 180-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vgg19::model {

/// Updates the eight words of `state` with `count` blocks of 64 bytes (FIPS 180-4, 6.2.2).
using Sha256Blocks = void (*)(std::uint32_t* state, const std::byte* blocks, std::size_t count);

/// An implementation that this CPU can run.
struct Sha256Kernel {
    const char* name;
    Sha256Blocks blocks;
};

/// Fastest first.
std::vector<Sha256Kernel> sha256_kernels();

class Sha256 {
  public:
    Sha256();
    explicit Sha256(Sha256Blocks blocks);
    void update(std::span<const std::byte> bytes);
    /// 64 lower-case hexadecimal digits. No bytes may be added afterwards.
    std::string hex_digest();

  private:
    Sha256Blocks blocks_;
    std::array<std::uint32_t, 8> state_;
    std::array<std::byte, 64> block_{};
    std::size_t block_bytes_ = 0;
    std::uint64_t total_bytes_ = 0;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace vgg19::model
