// The instruction sets that kernels are written for.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace vgg19::kernels {

/// From the most general to the most special. A CPU that has one has all before it.
enum class Isa : unsigned char {
    scalar,
    avx2,        ///< AVX2, FMA and F16C
    avx512,      ///< AVX-512 F, BW, DQ and VL
    avx512vnni,  ///< the above and AVX-512 VNNI
};

/// All of them, in the order of the enumeration.
std::span<const Isa> all_isas();

const char* isa_name(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);

/// Whether kernels for `isa` are in this build.
bool isa_is_built(Isa isa);

/// Whether this CPU and its operating system (XCR0) run `isa`.
bool cpu_supports(Isa isa);

/// The most special ISA that is both built and supported.
Isa best_isa();

}  // namespace vgg19::kernels
