// FP32 weights.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/dense/rows_with_input.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// For kernels/dense/all_rows.h.
struct Fp32 {
    using Sum = Vector::Register;
    static constexpr std::size_t lanes = Vector::width;

    static const float* input(const Dense& problem) { return problem.input; }
    static const float* weights(const Dense& problem) { return problem.fp32_weights; }
    static Sum zero() { return Vector::zero(); }
    static Sum load(const float* values) { return Vector::load(values); }
    static Sum load_first(const float* values, std::size_t count) {
        return Vector::load_first(values, count);
    }
    static Sum multiply_add(Sum inputs, Sum weights, Sum sum) {
        return Vector::multiply_add(inputs, weights, sum);
    }
    static float total(Sum sum) { return Vector::total(sum); }
};

/// For kernels/dense/rows_with_input.h, with at most `most_images` (a power of two) at once.
template <std::size_t most_images>
struct Fp32Rows {
    using Sum = float;
    static constexpr std::size_t prefetch_rows = 8;
    static constexpr std::size_t block = 1;
    static std::size_t sum_place(std::size_t offset) { return offset; }

    template <std::size_t rows>
    static void add(const Dense& problem, const RowGroup<rows>& group, Range outputs) {
        const auto add_images = [&](auto images, std::size_t image) {
            add_to_images<rows, images()>(problem, group, image, outputs);
        };
        for_image_groups<most_images>(problem.batch, add_images);
    }

  private:
    /// sums[image + b][o] += Σ_r input[image + b][r] · weights[r][o] for a range of outputs, rows in order.
    template <std::size_t rows, std::size_t images>
    static void add_to_images(const Dense& problem, const RowGroup<rows>& group, std::size_t image,
                              Range outputs) {
        using Register = Vector::Register;
        constexpr std::size_t lanes = Vector::width;
        constexpr std::size_t line = 64 / sizeof(float);
        const float* row_weights[rows];
        const float* ahead[rows];
        Register factors[rows][images];
        for (std::size_t r = 0; r < rows; ++r) {
            row_weights[r] = problem.fp32_weights + group.inputs[r] * problem.outputs;
            ahead[r] = problem.fp32_weights + group.ahead[r] * problem.outputs;
            for (std::size_t b = 0; b < images; ++b) {
                const float* input = problem.input + (image + b) * problem.inputs;
                factors[r][b] = Vector::broadcast(input[group.inputs[r]]);
            }
        }
        auto* const all_sums = sums_at<float>(problem, group.part, image, 0);
        const std::size_t stride = problem.padded_outputs();
        const auto add_products = [&](std::size_t output, const auto& load, const auto& store) {
            Register sums[images];
            for (std::size_t b = 0; b < images; ++b) sums[b] = load(all_sums + b * stride + output);
            for (std::size_t r = 0; r < rows; ++r) {
                const Register weights = load(row_weights[r] + output);
                for (std::size_t b = 0; b < images; ++b) {
                    sums[b] = Vector::multiply_add(factors[r][b], weights, sums[b]);
                }
            }
            for (std::size_t b = 0; b < images; ++b) store(all_sums + b * stride + output, sums[b]);
        };

        const auto load = [](const float* values) { return Vector::load(values); };
        const auto store = [](float* values, Register sum) { Vector::store(values, sum); };
        std::size_t output = outputs.begin;
        for (; output + line <= outputs.end; output += line) {
            for (std::size_t r = 0; r < rows; ++r) prefetch(ahead[r] + output);
            for (std::size_t part = 0; part < line; part += lanes) add_products(output + part, load, store);
        }
        for (; output < outputs.end; output += lanes) {
            const std::size_t count = std::min(outputs.end - output, lanes);
            add_products(
                output, [count](const float* values) { return Vector::load_first(values, count); },
                [count](float* values, Register sum) { Vector::store_first(values, count, sum); });
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
