// The last step of every dense kernel, and prefetching of weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense/dense.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Prefetches into the L2 cache, because the L1 cache has fewer outstanding misses.
inline void prefetch(const void* address) {
    constexpr int read = 0;
    constexpr int second_level_cache = 2;
    __builtin_prefetch(address, read, second_level_cache);
}

/// Prefetches into the L1 cache: for rows of input-major INT8 weights, which are so short that a few of them
/// fit it. Measured on Zen 5, it reads 5 to 10 % more a second than from the L2 cache.
inline void prefetch_soon(const void* address) {
    constexpr int read = 0;
    constexpr int all_caches = 3;
    __builtin_prefetch(address, read, all_caches);
}

/// Adds the bias, applies ReLU if the problem has it (NaN stays NaN), and writes the output.
[[gnu::always_inline]] inline void finish(const Dense& problem, std::size_t image, std::size_t output,
                                          float sum) {
    const float value = problem.bias[output] + sum;
    problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
}

/// The same for an INT8 sum. It rounds twice on every ISA: the build forbids fusing the multiplication with
/// the addition of the bias (-ffp-contract=off in cmake/box.cmake).
[[gnu::always_inline]] inline void finish(const Dense& problem, std::size_t image, std::size_t output,
                                          std::int32_t sum) {
    const float scale = problem.input_scale[image] * problem.int8_scale[output];
    finish(problem, image, output, static_cast<float>(sum) * scale);
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
