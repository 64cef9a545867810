// INT8 weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/dense/rows_with_input.h"
#include "kernels/simd/interleaved.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// For kernels/dense/all_rows.h.
struct Int8 {
    using Sum = Vector::Sum;
    static constexpr std::size_t lanes = 4 * Vector::width;

    static const std::uint8_t* input(const Dense& problem) { return problem.int8_input; }
    static const std::int8_t* weights(const Dense& problem) { return problem.int8_weights; }
    static Sum zero() { return Vector::zero_sum(); }
    static Vector::Quads load(const std::uint8_t* values) { return Vector::load_quads(values); }
    static Vector::QuadWeights load(const std::int8_t* values) { return Vector::load_quad_weights(values); }
    template <class Value>
    static auto load_first(const Value* values, std::size_t count) {
        Value padded[lanes] = {};
        __builtin_memcpy(padded, values, count);
        return load(padded);
    }
    static Sum multiply_add(Vector::Quads inputs, Vector::QuadWeights weights, Sum sum) {
        return Vector::dot4(inputs, weights, sum);
    }
    static std::int32_t total(Sum sum) { return Vector::total_sum(sum); }
};

/// For kernels/dense/rows_with_input.h. Four rows are interleaved, so that each lane of a register holds its
/// four weights, as VNNI's instruction needs them.
struct Int8Rows {
    using Sum = std::int32_t;
    static constexpr std::size_t chunk_inputs =
        dense_int8_max_inputs;  // sums are exact, so one level is enough
    static constexpr std::size_t prefetch_rows = 12;
    static constexpr std::size_t block = 4 * Vector::width;
    static std::size_t sum_place(std::size_t offset) { return interleaved_place<Vector::width>(offset); }

    /// The weights are read from memory for the first image, from registers for the others.
    template <std::size_t rows>
    static void add(const Dense& problem, const RowGroup<rows>& group, std::size_t begin, std::size_t end) {
        static_assert(rows <= quad);
        const QuadInputs first_inputs = quad_inputs(problem, group, 0);
        const auto add_block = [&](std::size_t output, const BlockWeights& weights) {
            add_products(first_inputs, weights, partial_sums_at<Sum>(problem, 0, output));
            for (std::size_t image = 1; image < problem.batch; ++image) {
                add_products(quad_inputs(problem, group, image), weights,
                             partial_sums_at<Sum>(problem, image, output));
            }
        };
        std::size_t output = begin;
        for (; output + block <= end; output += block) {
            for (const std::size_t input : group.ahead) prefetch(weights_at(problem, input, output));
            add_block(output, load_weights(row_weights(problem, group, output)));
        }
        if (output < end) {
            add_block(output, load_first_weights(row_weights(problem, group, output), end - output));
        }
    }

  private:
    static constexpr std::size_t quad = 4;

    /// The inputs of a group's rows, padded to four with zeros.
    struct QuadInputs {
        std::uint8_t bytes[quad];
    };
    struct BlockWeights {
        Vector::QuadWeights registers[4];
    };

    static const std::int8_t* weights_at(const Dense& problem, std::size_t input, std::size_t output) {
        return problem.int8_weights + input * problem.outputs + output;
    }

    template <std::size_t rows>
    static QuadInputs quad_inputs(const Dense& problem, const RowGroup<rows>& group, std::size_t image) {
        QuadInputs inputs{};
        for (std::size_t r = 0; r < rows; ++r) {
            inputs.bytes[r] = problem.int8_input[image * problem.inputs + group.inputs[r]];
        }
        return inputs;
    }

    struct RowWeights {
        const std::int8_t* rows[quad];
    };

    /// With fewer than four rows, the last row is repeated, with zero inputs.
    template <std::size_t rows>
    static RowWeights row_weights(const Dense& problem, const RowGroup<rows>& group, std::size_t output) {
        RowWeights weights{};
        for (std::size_t r = 0; r < quad; ++r) {
            weights.rows[r] = weights_at(problem, group.inputs[std::min(r, rows - 1)], output);
        }
        return weights;
    }

    static BlockWeights load_weights(const RowWeights& weights) {
        BlockWeights loaded{};
        Vector::load_interleaved(weights.rows, loaded.registers);
        return loaded;
    }

    /// Loads the first `count` outputs, padded with zeros.
    static BlockWeights load_first_weights(const RowWeights& weights, std::size_t count) {
        std::int8_t padded[quad][block] = {};
        RowWeights padded_rows{};
        for (std::size_t r = 0; r < quad; ++r) {
            __builtin_memcpy(padded[r], weights.rows[r], count);
            padded_rows.rows[r] = padded[r];
        }
        return load_weights(padded_rows);
    }

    static void add_products(const QuadInputs& inputs, const BlockWeights& weights, std::int32_t* sums) {
        const Vector::Quad bytes = Vector::broadcast_quad(inputs.bytes);
        for (std::size_t k = 0; k < 4; ++k) {
            std::int32_t* place = sums + k * Vector::width;
            Vector::store_sum(place, Vector::dot4(bytes, weights.registers[k], Vector::load_sum(place)));
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
