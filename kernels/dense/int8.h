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
    static constexpr std::size_t block = 4 * Vector::width;
    static constexpr std::size_t prefetch_rows = 8;
    static std::size_t sum_place(std::size_t offset) { return interleaved_place<Vector::width>(offset); }

    /// The weights are read from memory for the first image, from registers for the others.
    template <std::size_t rows>
    static void add(const Dense& problem, const RowGroup<rows>& group, Range outputs) {
        constexpr std::size_t quads = (rows + quad - 1) / quad;
        const QuadInputs<quads> first_inputs = quad_inputs(problem, group, 0);
        const auto add_block = [&](std::size_t output, const BlockWeights<quads>& weights) {
            add_products(first_inputs, weights, sums_at<Sum>(problem, group.part, 0, output));
            for (std::size_t image = 1; image < problem.batch; ++image) {
                add_products(quad_inputs(problem, group, image), weights,
                             sums_at<Sum>(problem, group.part, image, output));
            }
        };
        std::size_t output = outputs.begin;
        for (; output + block <= outputs.end; output += block) {
            for (const std::size_t input : group.ahead) prefetch_soon(weights_at(problem, input, output));
            add_block(output, load_weights(group_rows(problem, group, output)));
        }
        if (output < outputs.end) {
            add_block(output, load_first_weights(group_rows(problem, group, output), outputs.end - output));
        }
    }

  private:
    static constexpr std::size_t quad = 4;

    /// The inputs of a group's rows, padded to whole quads with zeros.
    template <std::size_t quads>
    struct QuadInputs {
        std::uint8_t bytes[quads][quad];
    };
    template <std::size_t quads>
    struct BlockWeights {
        Vector::QuadWeights registers[quads][4];
    };
    /// Rows' weights of one block.
    template <std::size_t quads>
    struct RowWeights {
        const std::int8_t* rows[quads][quad];
    };

    static const std::int8_t* weights_at(const Dense& problem, std::size_t input, std::size_t output) {
        return problem.int8_weights + input * problem.outputs + output;
    }

    template <std::size_t rows, std::size_t quads = (rows + quad - 1) / quad>
    static QuadInputs<quads> quad_inputs(const Dense& problem, const RowGroup<rows>& group,
                                         std::size_t image) {
        QuadInputs<quads> inputs{};
        for (std::size_t r = 0; r < rows; ++r) {
            inputs.bytes[r / quad][r % quad] = problem.int8_input[image * problem.inputs + group.inputs[r]];
        }
        return inputs;
    }

    /// With fewer than four rows, the last row is repeated, with zero inputs.
    template <std::size_t rows, std::size_t quads = (rows + quad - 1) / quad>
    static RowWeights<quads> group_rows(const Dense& problem, const RowGroup<rows>& group,
                                        std::size_t output) {
        RowWeights<quads> weights{};
        for (std::size_t r = 0; r < quads * quad; ++r) {
            weights.rows[r / quad][r % quad] =
                weights_at(problem, group.inputs[std::min(r, rows - 1)], output);
        }
        return weights;
    }

    template <std::size_t quads>
    static BlockWeights<quads> load_weights(const RowWeights<quads>& weights) {
        BlockWeights<quads> loaded{};
        for (std::size_t q = 0; q < quads; ++q) {
            Vector::load_interleaved(weights.rows[q], loaded.registers[q]);
        }
        return loaded;
    }

    /// Loads the first `count` outputs, padded with zeros.
    template <std::size_t quads>
    static BlockWeights<quads> load_first_weights(const RowWeights<quads>& weights, std::size_t count) {
        std::int8_t padded[quads][quad][block] = {};
        RowWeights<quads> padded_rows{};
        for (std::size_t r = 0; r < quads * quad; ++r) {
            std::int8_t* row = padded[r / quad][r % quad];
            __builtin_memcpy(row, weights.rows[r / quad][r % quad], count);
            padded_rows.rows[r / quad][r % quad] = row;
        }
        return load_weights(padded_rows);
    }

    template <std::size_t quads>
    static void add_products(const QuadInputs<quads>& inputs, const BlockWeights<quads>& weights,
                             std::int32_t* sums) {
        for (std::size_t k = 0; k < 4; ++k) {
            std::int32_t* place = sums + k * Vector::width;
            Vector::Sum sum = Vector::load_sum(place);
            for (std::size_t q = 0; q < quads; ++q) {
                sum = Vector::dot4(Vector::broadcast_quad(inputs.bytes[q]), weights.registers[q][k], sum);
            }
            Vector::store_sum(place, sum);
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
