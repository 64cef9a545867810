// The instruction sets that kernels are compiled for: each a set of capabilities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace vgg19::kernels {

/// What a CPU can do beyond the processor family's baseline. A set of them is the bits, or-ed.
enum class Capability : std::uint32_t {
    avx2 = 1U << 0U,         ///< AVX2, FMA and F16C
    avx_vnni = 1U << 1U,     ///< dot products of bytes in registers of 256 bits
    avx512 = 1U << 2U,       ///< AVX-512 F, BW, DQ and VL
    avx512_vnni = 1U << 3U,  ///< dot products of bytes in registers of 512 bits
    neon = 1U << 4U,         ///< every AArch64 has it
    dot_product = 1U << 5U,  ///< AArch64's SDOT and UDOT
};

class Capabilities {
  public:
    constexpr Capabilities() = default;
    constexpr Capabilities(std::initializer_list<Capability> members) {
        for (const Capability member : members) bits_ |= static_cast<std::uint32_t>(member);
    }
    constexpr void add(Capability member) { bits_ |= static_cast<std::uint32_t>(member); }
    /// Whether all of `others` are among these.
    constexpr bool include(Capabilities others) const { return (others.bits_ & ~bits_) == 0; }

  private:
    std::uint32_t bits_ = 0;
};

/// Kernels are compiled once for each of these, in a namespace of the same name.
enum class Isa : unsigned char { portable, avx2, avx2vnni, avx512, avx512vnni, neon, neon_dotprod };

/// All of them. Of two that a CPU has, the later one is faster.
std::span<const Isa> all_isas();

const char* isa_name(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);

/// What its kernels use.
Capabilities needs(Isa isa);
/// Whether a CPU that runs `isa` runs kernels of `kernel_isa` too.
bool runs(Isa isa, Isa kernel_isa);

/// Floats in a register of its kernels, which is what channels are blocked by: 8 or 16.
std::size_t float_lanes(Isa isa);
/// Whether one instruction multiplies and sums bytes in fours.
bool has_dot_product(Isa isa);

/// Whether kernels for `isa` are in this build.
bool isa_is_built(Isa isa);

/// Whether this CPU and its operating system (XCR0, HWCAP) run `isa`.
bool cpu_supports(Isa isa);

/// The fastest ISA that is both built and supported.
Isa best_isa();

}  // namespace vgg19::kernels
