// The walk over rows, images and outputs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/dense_int8/finish.h"
#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Into the second-level cache: the first level waits for fewer lines at once.
[[gnu::always_inline]] inline void prefetch_weights(const std::int8_t* address) {
    constexpr int read = 0;
    constexpr int second_level_cache = 2;
    __builtin_prefetch(address, read, second_level_cache);
}

/// As many rows as an instruction of VNNI sums.
inline constexpr std::size_t quad = 4;

/// Outputs that are summed at once: 8 KB of sums for one image stay in the first-level cache.
inline constexpr std::size_t strip_outputs = 2048;

/// Rows between a weight's prefetch and its use: rows are far apart, and the processor's own prefetcher does
/// not cross pages.
inline constexpr std::size_t prefetch_rows = 12;

/// Four rows at a list's position. Past its end the last row stands again, with zeros for inputs.
struct RowQuad {
    const std::int8_t* weights[quad];
    const std::int8_t* ahead[quad];
    std::size_t inputs[quad];
    std::size_t count;
};

inline RowQuad row_quad(const DenseInt8SparseInput& problem, std::size_t position) {
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

struct QuadInputs {
    std::uint8_t bytes[quad];
};

inline QuadInputs quad_inputs(const DenseInt8SparseInput& problem, const RowQuad& rows, std::size_t image) {
    QuadInputs inputs{};
    for (std::size_t r = 0; r < rows.count; ++r) {
        inputs.bytes[r] = problem.input[image * problem.inputs + rows.inputs[r]];
    }
    return inputs;
}

/// Outputs whose weights are interleaved at once, so that a register has the four rows' of each of its lanes.
inline constexpr std::size_t chunk = 4 * Vector::width;

struct Chunk {
    Vector::QuadWeights weights[4];
};

inline Chunk load_chunk(const std::int8_t* const (&rows)[quad]) {
    Chunk chunk_weights{};
    Vector::load_interleaved(rows, chunk_weights.weights);
    return chunk_weights;
}

/// The first `count` outputs, and zeros.
inline Chunk load_first_of_chunk(const std::int8_t* const (&rows)[quad], std::size_t count) {
    std::int8_t padded[quad][chunk] = {};
    const std::int8_t* padded_rows[quad];
    for (std::size_t r = 0; r < quad; ++r) {
        __builtin_memcpy(padded[r], rows[r], count);
        padded_rows[r] = padded[r];
    }
    return load_chunk(padded_rows);
}

inline void add_products(const std::uint8_t* inputs, const Chunk& chunk_weights, std::int32_t* sums) {
    const Vector::Quad bytes = Vector::broadcast_quad(inputs);
    for (std::size_t k = 0; k < 4; ++k) {
        std::int32_t* place = sums + k * Vector::width;
        Vector::store_sum(place, Vector::dot4(bytes, chunk_weights.weights[k], Vector::load_sum(place)));
    }
}

/// Adds four rows to the sums of outputs [begin, end) of every image: their weights come from memory for the
/// first, from registers for the rest.
inline void add_quad(const DenseInt8SparseInput& problem, const RowQuad& rows, std::size_t begin,
                     std::size_t end) {
    const std::size_t stride = problem.padded_outputs();
    const QuadInputs first_inputs = quad_inputs(problem, rows, 0);
    const auto add = [&](std::size_t output, const Chunk& weights) {
        add_products(first_inputs.bytes, weights, problem.sums + output);
        for (std::size_t image = 1; image < problem.batch; ++image) {
            add_products(quad_inputs(problem, rows, image).bytes, weights,
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
        add(output, load_chunk(pointers));
    }
    if (output < end) {
        at(output, pointers);
        add(output, load_first_of_chunk(pointers, end - output));
    }
}

inline void compute_sparse(const DenseInt8SparseInput& problem, std::size_t begin, std::size_t end) {
    for (std::size_t strip = begin; strip < end; strip += strip_outputs) {
        const std::size_t strip_end = std::min(end, strip + strip_outputs);
        const std::size_t padded = (strip_end - strip + chunk - 1) / chunk * chunk;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            std::fill_n(problem.sums + image * problem.padded_outputs() + strip, padded, 0);
        }
        for (std::size_t position = 0; position < problem.row_count; position += quad) {
            add_quad(problem, row_quad(problem, position), strip, strip_end);
        }
        for (std::size_t image = 0; image < problem.batch; ++image) {
            const std::int32_t* sums = problem.sums + image * problem.padded_outputs();
            for (std::size_t output = strip; output < strip_end; ++output) {
                const std::size_t offset = (output - strip) % chunk;
                finish_output(problem, image, output,
                              sums[output - offset + Vector::interleaved_place(offset)]);
            }
        }
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
