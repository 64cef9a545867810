// Bits that belong to the values of an array: that of value i is bit i % 8 of byte i / 8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/relu/output_bits.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Those of `lanes` values, the first of which is `index`: a multiple of 8.
template <std::size_t lanes>
inline __attribute__((always_inline)) std::uint32_t load_lane_bits(const std::uint8_t* bits,
                                                                   std::size_t index) {
    static_assert(lanes % 8 == 0 && lanes <= 32);
    std::uint32_t value = 0;
    for (std::size_t byte = 0; byte < lanes / 8; ++byte) {
        value |= std::uint32_t{bits[index / 8 + byte]} << (8 * byte);
    }
    return value;
}

template <std::size_t lanes>
inline __attribute__((always_inline)) void store_lane_bits(std::uint8_t* bits, std::size_t index,
                                                           std::uint32_t value) {
    static_assert(lanes % 8 == 0 && lanes <= 32);
    for (std::size_t byte = 0; byte < lanes / 8; ++byte) {
        bits[index / 8 + byte] = static_cast<std::uint8_t>(value >> (8 * byte));
    }
}

/// The register of outputs from `index` on, after its bits were applied.
template <class Vector>
inline __attribute__((always_inline)) typename Vector::Register with_bits(const OutputBits& bits,
                                                                          std::size_t index,
                                                                          typename Vector::Register output) {
    constexpr std::size_t lanes = Vector::width;
    if (bits.positive != nullptr) {
        store_lane_bits<lanes>(bits.positive, index, Vector::greater_lanes(output, Vector::zero()));
    }
    if (bits.passes == nullptr) return output;
    return Vector::select_lanes(load_lane_bits<lanes>(bits.passes, index), output);
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
