// Bits of a kernel's output, which it records or applies while it has the values in registers.
#pragma once

#include <cstdint>

namespace vgg19::kernels {

/// Both in the format of kernels/relu/relu.h, by the index in the output; null if not wanted.
struct OutputBits {
    std::uint8_t* positive = nullptr;      ///< receives which outputs are greater than zero
    const std::uint8_t* passes = nullptr;  ///< outputs without their bit become zero

    [[gnu::always_inline]] bool any() const { return positive != nullptr || passes != nullptr; }
};

}  // namespace vgg19::kernels
