// The loops of measure_peaks(), each of which keeps one unit of the CPU busy. There is one set per ISA, in
// its namespace (kernels/simd/vector.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Reads all words `passes` times, and returns a value that depends on each. `words` is a multiple of 64.
using ReadLoop = std::uint64_t(const std::uint64_t* data, std::size_t words, std::size_t passes);

/// Runs `rounds` rounds of independent multiply-adds, and sets `operations` to their number (a multiply-add
/// counts as two). Returns a value that depends on each.
using ArithmeticLoop = float(std::size_t rounds, std::uint64_t& operations);

VGG19_KERNELS(VGG19_FLOAT_ISAS, ReadLoop, read_words)
VGG19_KERNELS(VGG19_FLOAT_ISAS, ArithmeticLoop, multiply_add_fp32)
/// Counts a core's cycles: each operation of an integer chain, which takes one cycle, waits for the one
/// before it. FP32 multiply-adds run beside it, since wide registers may lower the clock.
VGG19_KERNELS(VGG19_FLOAT_ISAS, ArithmeticLoop, chain_of_cycles)
VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, ArithmeticLoop, multiply_add_int8)

}  // namespace vgg19::kernels
