// The loops of dense kernels for output-major weights, over outputs, images and inputs. The weights' type
// provides its arithmetic as a struct of static functions:
//
//   Sum                                     a register of partial sums
//   lanes                                   how many inputs a register holds
//   input(problem), weights(problem)        where they stand
//   zero() -> Sum
//   load(values) -> register                `lanes` inputs or weights (distinguished by type)
//   load_first(values, count) -> register   the first `count`, and zeros; touches no byte past them
//   multiply_add(inputs, weights, sum) -> Sum
//   total(sum)                              over the lanes, always in the same order
#pragma once

#include <cstddef>

#include "kernels/dense/output.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// How many bytes ahead to prefetch weights. The hardware prefetcher stops at the end of a page, so it helps
/// little with four streams of rows of 4 to 100 KB. Measured on Zen 4: with a prefetch 2 KB ahead into the L2
/// cache, INT8 reads as fast as a plain sum over memory. Without it, or with a prefetch into the L1 cache, it
/// reaches 75 to 80 % of that; 1 or 4 KB are no better.
inline constexpr std::size_t prefetch_distance = 2048;

/// Adds the products of one register of inputs, for a tile of outputs × images.
template <class Arithmetic, std::size_t outputs, std::size_t images, class Input, class Weight, class Load>
[[gnu::always_inline]] inline void add_products(const Input* input, const Weight* weights, std::size_t inputs,
                                                const Load& load,
                                                typename Arithmetic::Sum (&sums)[outputs][images]) {
    decltype(load(input)) image_values[images];
    for (std::size_t b = 0; b < images; ++b) image_values[b] = load(input + b * inputs);
    for (std::size_t o = 0; o < outputs; ++o) {
        const auto output_weights = load(weights + o * inputs);
        for (std::size_t b = 0; b < images; ++b) {
            sums[o][b] = Arithmetic::multiply_add(image_values[b], output_weights, sums[o][b]);
        }
    }
}

/// Computes a tile of outputs × images; its sums stay in registers. Each output has a single sum, so the
/// order of additions does not depend on the tile.
template <class Arithmetic, std::size_t outputs, std::size_t images>
void compute_tile(const Dense& problem, std::size_t output, std::size_t image) {
    constexpr std::size_t lanes = Arithmetic::lanes;
    const std::size_t inputs = problem.inputs;
    const auto* input = Arithmetic::input(problem) + image * inputs;
    const auto* weights = Arithmetic::weights(problem) + output * inputs;
    constexpr std::size_t line = 64 / sizeof(*weights);
    constexpr std::size_t distance = prefetch_distance / sizeof(*weights);

    typename Arithmetic::Sum sums[outputs][images];
    for (auto& row : sums) {
        for (auto& sum : row) sum = Arithmetic::zero();
    }

    // At the end of a row, the prefetch continues with the corresponding row of the next tile.
    const bool next_tile = inputs >= distance && output + 2 * outputs <= problem.outputs;
    const std::size_t past_row = next_tile ? distance + (outputs - 1) * inputs : 0;
    const auto load = [](const auto* values) { return Arithmetic::load(values); };
    std::size_t i = 0;
    for (; i + line <= inputs; i += line) {
        const std::size_t ahead = i + distance < inputs ? distance : past_row;
        for (std::size_t o = 0; o < outputs; ++o) prefetch(weights + o * inputs + i + ahead);
        for (std::size_t part = i; part < i + line; part += lanes) {
            add_products<Arithmetic>(input + part, weights + part, inputs, load, sums);
        }
    }
    for (; i + lanes <= inputs; i += lanes) {
        add_products<Arithmetic>(input + i, weights + i, inputs, load, sums);
    }

    const std::size_t rest = inputs - i;
    const auto load_rest = [rest](const auto* values) { return Arithmetic::load_first(values, rest); };
    if (rest > 0) add_products<Arithmetic>(input + i, weights + i, inputs, load_rest, sums);

    for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t b = 0; b < images; ++b) {
            finish(problem, image + b, output + o, Arithmetic::total(sums[o][b]));
        }
    }
}

/// Computes a tile's outputs for all images from `image` on.
template <class Arithmetic, std::size_t outputs, std::size_t images>
void compute_images(const Dense& problem, std::size_t output, std::size_t image) {
    for (; image + images <= problem.batch; image += images) {
        compute_tile<Arithmetic, outputs, images>(problem, output, image);
    }
    if constexpr (images > 1) compute_images<Arithmetic, outputs, images / 2>(problem, output, image);
}

/// Computes outputs [begin, end) of every image in tiles of at most outputs × images (powers of two). Images
/// are the inner loop: a tile's weights are read from memory for the first images, from the cache for the
/// others. Tiles have four outputs, because four rows at once keep more cache misses in flight than one row,
/// which reached only two thirds of the bandwidth.
template <class Arithmetic, std::size_t outputs, std::size_t images>
void compute_all_rows(const Dense& problem, std::size_t begin, std::size_t end) {
    for (; begin + outputs <= end; begin += outputs) {
        compute_images<Arithmetic, outputs, images>(problem, begin, 0);
    }
    if constexpr (outputs > 1) compute_all_rows<Arithmetic, outputs / 2, images>(problem, begin, end);
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
