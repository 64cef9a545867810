// The loops of dense kernels for input-major weights, over rows of weights and outputs. Rows with zero input
// in every image are not in the problem's list, and not read.
//
// The weights' type provides its arithmetic as a struct of static members:
//
//   Sum                       float, or std::int32_t
//   prefetch_rows             rows between a weight's prefetch and its use: rows are far apart, and the
//                             processor's own prefetcher does not cross pages
//   block                     sums stand in blocks of so many outputs, in an order of their own
//   sum_place(offset)         where in its block the sum of its output `offset` stands
//   add<rows>(problem, group, outputs)    adds a group of rows to the sums of a range of outputs of every
//                                         image
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/dense/output.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The inputs of the rows at a list position, the rows to prefetch meanwhile, and the part to which they
/// belong.
template <std::size_t rows>
struct RowGroup {
    std::size_t inputs[rows];
    std::size_t ahead[rows];
    std::size_t part;
};

template <std::size_t rows>
RowGroup<rows> row_group(const Dense& problem, std::size_t part, std::size_t position,
                         std::size_t prefetch_rows) {
    RowGroup<rows> group{};
    group.part = part;
    for (std::size_t r = 0; r < rows; ++r) {
        group.inputs[r] = problem.input_rows[position + r];
        group.ahead[r] =
            problem.input_rows[std::min(position + r + prefetch_rows, problem.input_row_count - 1)];
    }
    return group;
}

template <class Sum>
Sum* sums_at(const Dense& problem, std::size_t part, std::size_t image, std::size_t output) {
    return static_cast<Sum*>(problem.sums) + (part * problem.batch + image) * problem.padded_outputs() +
           output;
}

/// Calls body(images, image) for groups of at most `images` (a power of two) of the batch; the first argument
/// is the group's size as a constant. A row's weights are read from memory for the first group, from the
/// cache for the others.
template <std::size_t images, class Body>
void for_image_groups(std::size_t batch, const Body& body, std::size_t image = 0) {
    for (; image + images <= batch; image += images) {
        body(std::integral_constant<std::size_t, images>(), image);
    }
    if constexpr (images > 1) for_image_groups<images / 2>(batch, body, image);
}

/// Adds the rows at [rows.begin, rows.end) of the list, in groups of at most `most_rows` (a power of two).
template <class Arithmetic, std::size_t most_rows>
void add_rows(const Dense& problem, std::size_t part, Range rows, Range outputs) {
    for (; rows.begin + most_rows <= rows.end; rows.begin += most_rows) {
        Arithmetic::add(problem, row_group<most_rows>(problem, part, rows.begin, Arithmetic::prefetch_rows),
                        outputs);
    }
    if constexpr (most_rows > 1) add_rows<Arithmetic, most_rows / 2>(problem, part, rows, outputs);
}

/// The number of sums in the blocks of a range of outputs.
template <class Arithmetic>
std::size_t sum_count(Range outputs) {
    const std::size_t blocks = (outputs.end - outputs.begin + Arithmetic::block - 1) / Arithmetic::block;
    return blocks * Arithmetic::block;
}

/// DenseSteps::sum_part, from groups of at most `most_rows` (a power of two): larger groups load and store
/// sums less often.
template <class Arithmetic, std::size_t most_rows>
void sum_rows(const Dense& problem, std::size_t part, Range rows, Range outputs) {
    using Sum = typename Arithmetic::Sum;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        std::fill_n(sums_at<Sum>(problem, part, image, outputs.begin), sum_count<Arithmetic>(outputs),
                    Sum{0});
    }
    add_rows<Arithmetic, most_rows>(problem, part, rows, outputs);
}

/// Brings the sums of a block into the order of its outputs.
template <class Arithmetic>
void order_block(typename Arithmetic::Sum* sums) {
    if constexpr (Arithmetic::block > 1) {
        typename Arithmetic::Sum ordered[Arithmetic::block];
        for (std::size_t offset = 0; offset < Arithmetic::block; ++offset) {
            ordered[offset] = sums[Arithmetic::sum_place(offset)];
        }
        std::copy_n(ordered, Arithmetic::block, sums);
    }
}

/// DenseSteps::compute: adds the sums of all parts, in order, and finishes the outputs.
template <class Arithmetic>
void add_parts(const Dense& problem, Range outputs) {
    using Sum = typename Arithmetic::Sum;
    const std::size_t count = sum_count<Arithmetic>(outputs);
    for (std::size_t image = 0; image < problem.batch; ++image) {
        Sum* const sums = sums_at<Sum>(problem, 0, image, outputs.begin);
        for (std::size_t part = 1; part < problem.parts; ++part) {
            const Sum* const more = sums_at<Sum>(problem, part, image, outputs.begin);
            for (std::size_t i = 0; i < count; ++i) sums[i] += more[i];
        }
        for (std::size_t i = 0; i < count; i += Arithmetic::block) order_block<Arithmetic>(sums + i);
        for (std::size_t output = outputs.begin; output < outputs.end; ++output) {
            finish(problem, image, output, sums[output - outputs.begin]);
        }
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
