// The loops of dense kernels for input-major weights, over rows of weights and outputs. Rows with zero input
// in every image are not in the problem's list, and not read.
//
// An output's sum has two levels, because summing 25,088 terms one after another is too inaccurate in FP32:
// the products of some neighbouring inputs (a chunk) make a partial sum, and those are added up. Chunks are
// counted in inputs, not in rows of the list, so that an image's sum does not depend on which inputs the
// others of its batch have.
//
// The weights' type provides its arithmetic as a struct of static members:
//
//   Sum                       float, or std::int32_t
//   chunk_inputs              inputs of a partial sum
//   prefetch_rows             rows between a weight's prefetch and its use: rows are far apart, and the
//                             processor's own prefetcher does not cross pages
//   block                     sums stand in blocks of so many outputs, in an order of their own
//   sum_place(offset)         where in its block the sum of its output `offset` stands
//   add<rows>(problem, group, begin, end)    adds a group of rows to the partial sums of outputs [begin, end)
//                                            of every image
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/dense/output.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

inline constexpr std::size_t two_level_chunk_inputs = 256;

/// The number of outputs that are summed at once: their partial sums and sums (8 KB each per image) stay in
/// the L1 cache, and a row of floats is still read in pieces of two pages.
inline constexpr std::size_t strip_outputs = 2048;

/// The inputs of the rows at a list position, and the rows to prefetch meanwhile.
template <std::size_t rows>
struct RowGroup {
    std::size_t inputs[rows];
    std::size_t ahead[rows];
};

template <std::size_t rows>
RowGroup<rows> row_group(const Dense& problem, std::size_t position, std::size_t prefetch_rows) {
    RowGroup<rows> group{};
    for (std::size_t r = 0; r < rows; ++r) {
        group.inputs[r] = problem.input_rows[position + r];
        group.ahead[r] =
            problem.input_rows[std::min(position + r + prefetch_rows, problem.input_row_count - 1)];
    }
    return group;
}

/// Sums have the shape [batch][2][padded_outputs]: an image's sums, then its partial sums.
inline std::size_t sums_of_image(const Dense& problem) {
    return 2 * problem.padded_outputs();
}

template <class Sum>
Sum* sums_at(const Dense& problem, std::size_t image, std::size_t output) {
    return static_cast<Sum*>(problem.sums) + image * sums_of_image(problem) + output;
}

template <class Sum>
Sum* partial_sums_at(const Dense& problem, std::size_t image, std::size_t output) {
    return sums_at<Sum>(problem, image, output) + problem.padded_outputs();
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

/// Adds the rows at [position, last) of the list, in groups of at most `rows` (a power of two).
template <class Arithmetic, std::size_t rows>
void add_rows(const Dense& problem, std::size_t position, std::size_t last, std::size_t begin,
              std::size_t end) {
    for (; position + rows <= last; position += rows) {
        Arithmetic::add(problem, row_group<rows>(problem, position, Arithmetic::prefetch_rows), begin, end);
    }
    if constexpr (rows > 1) add_rows<Arithmetic, rows / 2>(problem, position, last, begin, end);
}

/// sums += partial sums, partial sums = 0.
template <class Sum>
void add_partial_sums(const Dense& problem, std::size_t begin, std::size_t count) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        Sum* const sums = sums_at<Sum>(problem, image, begin);
        Sum* const partial_sums = partial_sums_at<Sum>(problem, image, begin);
        for (std::size_t i = 0; i < count; ++i) sums[i] += partial_sums[i];
        std::fill_n(partial_sums, count, Sum{0});
    }
}

template <class Arithmetic>
void finish_outputs(const Dense& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        const auto* const sums = sums_at<typename Arithmetic::Sum>(problem, image, begin);
        for (std::size_t output = begin; output < end; ++output) {
            const std::size_t offset = (output - begin) % Arithmetic::block;
            finish(problem, image, output, sums[output - begin - offset + Arithmetic::sum_place(offset)]);
        }
    }
}

/// Computes outputs [begin, end) of every image from groups of at most `rows` (a power of two): larger groups
/// load and store partial sums less often.
template <class Arithmetic, std::size_t rows>
void compute_rows_with_input(const Dense& problem, std::size_t begin, std::size_t end) {
    using Sum = typename Arithmetic::Sum;
    for (std::size_t strip = begin; strip < end; strip += strip_outputs) {
        const std::size_t strip_end = std::min(end, strip + strip_outputs);
        const std::size_t blocks = (strip_end - strip + Arithmetic::block - 1) / Arithmetic::block;
        const std::size_t count = blocks * Arithmetic::block;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            std::fill_n(sums_at<Sum>(problem, image, strip), count, Sum{0});
            std::fill_n(partial_sums_at<Sum>(problem, image, strip), count, Sum{0});
        }
        for (std::size_t position = 0; position < problem.input_row_count;) {
            const std::size_t chunk = problem.input_rows[position] / Arithmetic::chunk_inputs;
            std::size_t last = position + 1;
            while (last < problem.input_row_count &&
                   problem.input_rows[last] / Arithmetic::chunk_inputs == chunk) {
                ++last;
            }
            add_rows<Arithmetic, rows>(problem, position, last, strip, strip_end);
            add_partial_sums<Sum>(problem, strip, count);
            position = last;
        }
        finish_outputs<Arithmetic>(problem, strip, strip_end);
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
