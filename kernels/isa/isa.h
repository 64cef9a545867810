// The instruction sets for which kernels are compiled. Each is a set of capabilities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace vgg19::kernels {

/// CPU features beyond the architecture's baseline, as bits of a set.
enum class Capability : std::uint32_t {
    avx2 = 1U << 0U,         ///< AVX2, FMA and F16C
    avx_vnni = 1U << 1U,     ///< dot products of bytes in 256-bit registers
    avx512 = 1U << 2U,       ///< AVX-512 F, BW, DQ and VL
    avx512_vnni = 1U << 3U,  ///< dot products of bytes in 512-bit registers
    neon = 1U << 4U,         ///< in every AArch64 CPU
    dot_product = 1U << 5U,  ///< AArch64's SDOT and UDOT
};

class Capabilities {
  public:
    constexpr Capabilities() = default;
    constexpr Capabilities(std::initializer_list<Capability> members) {
        for (const Capability member : members) bits_ |= static_cast<std::uint32_t>(member);
    }
    constexpr void add(Capability member) { bits_ |= static_cast<std::uint32_t>(member); }
    /// Whether this set contains all of `others`.
    constexpr bool include(Capabilities others) const { return (others.bits_ & ~bits_) == 0; }

  private:
    std::uint32_t bits_ = 0;
};

/// Kernels are compiled once for each of these, in a namespace of the same name.
enum class Isa : unsigned char { portable, avx2, avx2vnni, avx512, avx512vnni, neon, neon_dotprod };
inline constexpr std::size_t isa_count = 7;

/// All ISAs. If a CPU supports two of them, the later one is faster.
std::span<const Isa> all_isas();

const char* isa_name(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);

/// The capabilities that its kernels use.
Capabilities needs(Isa isa);
/// Whether a CPU that supports `isa` can also run kernels of `kernel_isa`.
bool runs(Isa isa, Isa kernel_isa);

/// The number of floats in a register of its kernels, which is also the channel block: 8 or 16.
std::size_t float_lanes(Isa isa);
/// Whether a single instruction computes dot products of four bytes.
bool has_dot_product(Isa isa);

/// Whether this build contains kernels for `isa`.
bool isa_is_built(Isa isa);

/// Whether this CPU and its operating system (XCR0, HWCAP) support `isa`.
bool cpu_supports(Isa isa);

/// The fastest ISA that is both built and supported.
Isa best_isa();

}  // namespace vgg19::kernels
