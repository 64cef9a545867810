// The loops behind measure_peaks(): all that they do is keep one unit of the CPU busy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgg19::bench {

/// Reads all words and returns something that depends on each. `words` is a multiple of 64.
using ReadLoop = std::uint64_t(const std::uint64_t* data, std::size_t words);
ReadLoop read_scalar;
ReadLoop read_avx2;
ReadLoop read_avx512;

/// Runs `rounds` rounds of independent multiply-adds; `operations` becomes how many operations that was (a
/// multiply-add is two). Returns something that depends on each.
using ArithmeticLoop = float(std::size_t rounds, std::uint64_t& operations);
ArithmeticLoop multiply_add_fp32_scalar;
ArithmeticLoop multiply_add_fp32_avx2;
ArithmeticLoop multiply_add_fp32_avx512;
ArithmeticLoop multiply_add_int8_avx512vnni;

}  // namespace vgg19::bench
