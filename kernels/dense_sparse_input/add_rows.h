// The walk over rows, images and outputs.
#pragma once

#include <cstddef>

#include "kernels/dense_sparse_input/dense_sparse_input.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// An output's sum has two levels, because 25,088 terms one after the other lose too much in FP32: products
/// of this many neighbouring inputs make a partial sum, and those are added up. Counted in inputs, not in
/// rows that are left, so that an image's sum does not depend on which inputs the others of its batch have.
inline constexpr std::size_t chunk_inputs = 256;

/// Outputs that are summed at once: their partial sums and sums (8 KB each for one image) stay in the
/// first-level cache, and a row is still read in pieces of two pages.
inline constexpr std::size_t strip_outputs = 2048;

/// Rows between a weight's prefetch and its use. Rows are far apart and the processor's own prefetcher does
/// not cross pages, so each line is asked for while the line of the same outputs, eight rows before it, is
/// used.
inline constexpr std::size_t prefetch_rows = 8;

[[gnu::always_inline]] inline void prefetch_weights(const float* address) {
    constexpr int read = 0;
    constexpr int second_level_cache = 2;
    __builtin_prefetch(address, read, second_level_cache);
}

/// Rows of weights at a list's position, for a strip of outputs: what is used now, and what will be.
template <std::size_t rows>
struct RowGroup {
    const float* weights[rows];
    const float* ahead[rows];
    std::size_t inputs[rows];
};

template <std::size_t rows>
RowGroup<rows> row_group(const DenseSparseInput& problem, std::size_t position) {
    RowGroup<rows> group{};
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t later = position + r + prefetch_rows;
        group.inputs[r] = problem.rows[position + r];
        group.weights[r] = problem.weights + group.inputs[r] * problem.outputs;
        group.ahead[r] = later < problem.row_count
                             ? problem.weights + std::size_t{problem.rows[later]} * problem.outputs
                             : group.weights[r];
    }
    return group;
}

/// partial_sums[image + b][o] += Σ_r input[image + b][r] · weights[r][o] for outputs [begin, end), rows in
/// their order.
template <std::size_t rows, std::size_t images>
void add_group(const DenseSparseInput& problem, const RowGroup<rows>& group, std::size_t image,
               std::size_t begin, std::size_t end) {
    using Register = Vector::Register;
    constexpr std::size_t lanes = Vector::width;
    constexpr std::size_t line = 64 / sizeof(float);
    Register factors[rows][images];
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t b = 0; b < images; ++b) {
            const float* input = problem.input + (image + b) * problem.inputs;
            factors[r][b] = Vector::broadcast(input[group.inputs[r]]);
        }
    }
    float* partial_sums = problem.partial_sums + image * problem.outputs;
    const auto add_products = [&](std::size_t output, const auto& load, const auto& store) {
        Register sums[images];
        for (std::size_t b = 0; b < images; ++b) sums[b] = load(partial_sums + b * problem.outputs + output);
        for (std::size_t r = 0; r < rows; ++r) {
            const Register weights = load(group.weights[r] + output);
            for (std::size_t b = 0; b < images; ++b) {
                sums[b] = Vector::multiply_add(factors[r][b], weights, sums[b]);
            }
        }
        for (std::size_t b = 0; b < images; ++b) store(partial_sums + b * problem.outputs + output, sums[b]);
    };

    const auto load = [](const float* values) { return Vector::load(values); };
    const auto store = [](float* values, Register sum) { Vector::store(values, sum); };
    std::size_t output = begin;
    for (; output + line <= end; output += line) {
        for (std::size_t r = 0; r < rows; ++r) prefetch_weights(group.ahead[r] + output);
        for (std::size_t part = 0; part < line; part += lanes) add_products(output + part, load, store);
    }
    for (; output < end; output += lanes) {
        const std::size_t count = end - output < lanes ? end - output : lanes;
        add_products(
            output, [count](const float* values) { return Vector::load_first(values, count); },
            [count](float* values, Register sum) { Vector::store_first(values, count, sum); });
    }
}

/// Adds the group to the partial sums of all images from `image` on, at most `images` (a power of two) at
/// once: its weights come from memory for the first of them, from the cache for the rest.
template <std::size_t rows, std::size_t images>
void add_group_to_images(const DenseSparseInput& problem, const RowGroup<rows>& group, std::size_t image,
                         std::size_t begin, std::size_t end) {
    for (; image + images <= problem.batch; image += images) {
        add_group<rows, images>(problem, group, image, begin, end);
    }
    if constexpr (images > 1) {
        add_group_to_images<rows, images / 2>(problem, group, image, begin, end);
    }
}

/// Adds the rows at [position, last) of the list, in groups of at most `rows` (a power of two).
template <std::size_t rows, std::size_t images>
void add_rows(const DenseSparseInput& problem, std::size_t position, std::size_t last, std::size_t begin,
              std::size_t end) {
    for (; position + rows <= last; position += rows) {
        add_group_to_images<rows, images>(problem, row_group<rows>(problem, position), 0, begin, end);
    }
    if constexpr (rows > 1) add_rows<rows / 2, images>(problem, position, last, begin, end);
}

/// Calls body(image, output, count) for each register's length of outputs [begin, end) of every image, where
/// `count` is the length, or what is left at the end.
template <class Body>
void for_each_register(const DenseSparseInput& problem, std::size_t begin, std::size_t end,
                       const Body& body) {
    constexpr std::size_t lanes = Vector::width;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = begin; output < end; output += lanes) {
            body(image, output, end - output < lanes ? end - output : lanes);
        }
    }
}

/// output = 0 and partial_sums = 0.
inline void clear_sums(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    for_each_register(problem, begin, end, [&](std::size_t image, std::size_t output, std::size_t count) {
        const std::size_t position = image * problem.outputs + output;
        Vector::store_first(problem.output + position, count, Vector::zero());
        Vector::store_first(problem.partial_sums + position, count, Vector::zero());
    });
}

/// output += partial_sums, partial_sums = 0.
inline void add_partial_sums(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    for_each_register(problem, begin, end, [&](std::size_t image, std::size_t output, std::size_t count) {
        float* sum = problem.output + image * problem.outputs + output;
        float* partial_sum = problem.partial_sums + image * problem.outputs + output;
        const auto both = Vector::add(Vector::load_first(sum, count), Vector::load_first(partial_sum, count));
        Vector::store_first(sum, count, both);
        Vector::store_first(partial_sum, count, Vector::zero());
    });
}

/// output = f(bias + output).
inline void finish_outputs(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    for_each_register(problem, begin, end, [&](std::size_t image, std::size_t output, std::size_t count) {
        float* sum = problem.output + image * problem.outputs + output;
        auto value =
            Vector::add(Vector::load_first(problem.bias + output, count), Vector::load_first(sum, count));
        // A NaN stays one.
        if (problem.relu) value = Vector::maximum(Vector::zero(), value);
        Vector::store_first(sum, count, value);
    });
}

/// Computes outputs [begin, end) of every image from groups of at most rows × images (powers of two): with
/// more rows, partial sums are loaded and stored less often.
template <std::size_t rows, std::size_t images>
void compute_sparse(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    for (std::size_t strip = begin; strip < end; strip += strip_outputs) {
        const std::size_t strip_end = end - strip < strip_outputs ? end : strip + strip_outputs;
        clear_sums(problem, strip, strip_end);
        for (std::size_t position = 0; position < problem.row_count;) {
            const std::size_t chunk = problem.rows[position] / chunk_inputs;
            std::size_t last = position + 1;
            while (last < problem.row_count && problem.rows[last] / chunk_inputs == chunk) ++last;
            add_rows<rows, images>(problem, position, last, strip, strip_end);
            add_partial_sums(problem, strip, strip_end);
            position = last;
        }
        finish_outputs(problem, strip, strip_end);
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
