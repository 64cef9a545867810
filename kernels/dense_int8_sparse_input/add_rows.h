// The walk over rows, images and outputs, for every vector kernel of this family. Everything here is static:
// each source that includes it has its own copy, built for its own instruction set. A source brings its
// arithmetic as a struct of static functions:
//
//   Weights                         four rows' weights of `chunk` outputs, as its products want them
//   load(row pointers) -> Weights, load_first(row pointers, count) -> Weights: no byte past the first `count`
//   add_products(inputs, weights, sums)     sums += the four rows' inputs (bytes, the first row's lowest) ·
//   weights place(output) -> where an output of a chunk stands among its sums
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/dense_int8/finish.h"
#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"

namespace vgg19::kernels {

/// Into the second-level cache: the first level waits for fewer lines at once.
static inline void prefetch_weights(const std::int8_t* address) {
    constexpr int read = 0;
    constexpr int second_level_cache = 2;
    __builtin_prefetch(address, read, second_level_cache);
}

/// As many rows as an instruction of VNNI sums.
static constexpr std::size_t quad = 4;

/// Outputs that are summed at once: 8 KB of sums for one image stay in the first-level cache.
static constexpr std::size_t strip_outputs = 2048;

/// Rows between a weight's prefetch and its use: rows are far apart, and the processor's own prefetcher does
/// not cross pages.
static constexpr std::size_t prefetch_rows = 12;

/// Four rows at a list's position. Past its end the last row stands again, with zeros for inputs.
struct RowQuad {
    const std::int8_t* weights[quad];
    const std::int8_t* ahead[quad];
    std::size_t inputs[quad];
    std::size_t count;
};

static inline RowQuad row_quad(const DenseInt8SparseInput& problem, std::size_t position) {
    RowQuad rows{};
    rows.count = std::min(quad, problem.row_count - position);
    for (std::size_t r = 0; r < quad; ++r) {
        const std::size_t later = std::min(position + r + prefetch_rows, problem.row_count - 1);
        rows.inputs[r] = problem.rows[std::min(position + r, problem.row_count - 1)];
        rows.weights[r] = problem.weights + rows.inputs[r] * problem.outputs;
        rows.ahead[r] = problem.weights + std::size_t{problem.rows[later]} * problem.outputs;
    }
    return rows;
}

static inline std::uint32_t quad_inputs(const DenseInt8SparseInput& problem, const RowQuad& rows,
                                        std::size_t image) {
    std::uint8_t bytes[quad] = {};
    for (std::size_t r = 0; r < rows.count; ++r) {
        bytes[r] = problem.input[image * problem.inputs + rows.inputs[r]];
    }
    std::uint32_t inputs = 0;
    std::memcpy(&inputs, bytes, sizeof inputs);
    return inputs;
}

/// Adds four rows to the sums of outputs [begin, end) of every image: their weights come from memory for the
/// first, from registers for the rest.
template <class Arithmetic>
static inline void add_quad(const DenseInt8SparseInput& problem, const RowQuad& rows, std::size_t begin,
                            std::size_t end) {
    constexpr std::size_t chunk = Arithmetic::chunk;
    const std::size_t stride = problem.padded_outputs();
    const std::uint32_t first_inputs = quad_inputs(problem, rows, 0);
    const auto add = [&](std::size_t output, const typename Arithmetic::Weights& weights) {
        Arithmetic::add_products(first_inputs, weights, problem.sums + output);
        for (std::size_t image = 1; image < problem.batch; ++image) {
            Arithmetic::add_products(quad_inputs(problem, rows, image), weights,
                                     problem.sums + image * stride + output);
        }
    };
    const auto at = [&](std::size_t output, const std::int8_t*(&pointers)[quad]) {
        for (std::size_t r = 0; r < quad; ++r) pointers[r] = rows.weights[r] + output;
    };
    const std::int8_t* pointers[quad];
    std::size_t output = begin;
    for (; output + chunk <= end; output += chunk) {
        for (const std::int8_t* ahead : rows.ahead) prefetch_weights(ahead + output);
        at(output, pointers);
        add(output, Arithmetic::load(pointers));
    }
    if (output < end) {
        at(output, pointers);
        add(output, Arithmetic::load_first(pointers, end - output));
    }
}

template <class Arithmetic>
static inline void compute_sparse(const DenseInt8SparseInput& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t chunk = Arithmetic::chunk;
    for (std::size_t strip = begin; strip < end; strip += strip_outputs) {
        const std::size_t strip_end = std::min(end, strip + strip_outputs);
        const std::size_t padded = (strip_end - strip + chunk - 1) / chunk * chunk;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            std::fill_n(problem.sums + image * problem.padded_outputs() + strip, padded, 0);
        }
        for (std::size_t position = 0; position < problem.row_count; position += quad) {
            add_quad<Arithmetic>(problem, row_quad(problem, position), strip, strip_end);
        }
        for (std::size_t image = 0; image < problem.batch; ++image) {
            const std::int32_t* sums = problem.sums + image * problem.padded_outputs();
            for (std::size_t output = strip; output < strip_end; ++output) {
                const std::size_t offset = (output - strip) % chunk;
                finish_output(problem, image, output, sums[output - offset + Arithmetic::place(offset)]);
            }
        }
    }
}

}  // namespace vgg19::kernels
