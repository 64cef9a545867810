// The loops behind measure_peaks(): all that they do is keep one unit of the CPU busy. One of each an ISA, in
// its namespace (kernels/simd/vector.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Reads all words and returns something that depends on each. `words` is a multiple of 64.
using ReadLoop = std::uint64_t(const std::uint64_t* data, std::size_t words);

/// Runs `rounds` rounds of independent multiply-adds; `operations` becomes how many operations that was (a
/// multiply-add is two). Returns something that depends on each.
using ArithmeticLoop = float(std::size_t rounds, std::uint64_t& operations);

VGG19_KERNELS(VGG19_FLOAT_ISAS, ReadLoop, read_words)
VGG19_KERNELS(VGG19_FLOAT_ISAS, ArithmeticLoop, multiply_add_fp32)
VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, ArithmeticLoop, multiply_add_int8)

}  // namespace vgg19::kernels
