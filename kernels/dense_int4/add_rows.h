// The walk over rows, images and outputs.
//
// A register of `width` 32-bit words holds the weights of width / 4 groups, eight in a word. Weight k of
// every word makes a register of floats, so that a block of outputs has eight registers of sums: in sum k,
// lane 4·g + d belongs to group g and its byte 4·d + k / 2.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/common/dense_tiles.h"
#include "kernels/dense_int4/dense_int4.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// An output's sum has two levels, because 25,088 terms one after the other lose too much in FP32: products
/// of this many neighbouring inputs make a partial sum, and those are added up. Counted in inputs, not in
/// rows that are left, so that an image's sum does not depend on which inputs the others of its batch have.
inline constexpr std::size_t chunk_inputs = 256;

/// Outputs that are summed at once: their partial sums and sums (8 KB each for one image) stay in the
/// first-level cache.
inline constexpr std::size_t strip_outputs = 2048;

/// Rows that are added to the partial sums at once, so that these are loaded and stored less often.
inline constexpr std::size_t most_rows = 8;

/// Rows between a weight's prefetch and its use: rows are far apart, and the processor's own prefetcher does
/// not cross pages.
inline constexpr std::size_t prefetch_rows = 16;

inline constexpr std::size_t cache_line = 64;  ///< bytes
inline constexpr std::size_t weights_of_word = 8;
inline constexpr std::size_t outputs_of_line = 2 * cache_line;
inline constexpr std::size_t scaled_outputs_of_line = cache_line / sizeof(std::uint16_t) * int4_group;

/// How weight k of a word becomes a float: its bits stay where they are, in the mantissa of a number whose
/// exponent makes the lowest of them count 1. Subtracting that number, and the offset, leaves q: exact, and
/// cheaper than a shift and a conversion. Only weights below the exponent's bits can; the upper ones are
/// shifted there together.
template <std::size_t k>
struct InMantissa {
    static_assert(k < 5);
    static constexpr std::int32_t mask = 0xF << (4 * k);
    static constexpr std::int32_t exponent = (127 + 23 - 4 * k) << 23;
    static constexpr float offset = static_cast<float>(1 << (23 - 4 * k)) + int4_offset;
};
inline constexpr std::size_t weights_in_mantissa = 5;
inline constexpr std::size_t upper_weights = weights_of_word - weights_in_mantissa;
inline constexpr int shift_of_upper = 4 * upper_weights;

inline constexpr std::size_t groups_of_block = Vector::width / 4;

/// q of weight k of every word.
template <std::size_t k>
[[gnu::always_inline]] inline Vector::Register weight_in_mantissa(Vector::Sum words) {
    const auto number = Vector::from_bits_in_mantissa(words, InMantissa<k>::mask, InMantissa<k>::exponent);
    return Vector::subtract(number, Vector::broadcast(InMantissa<k>::offset));
}

/// Words at any address.
[[gnu::always_inline]] inline const std::int32_t* words_at(const std::uint8_t* weights) {
    return reinterpret_cast<const std::int32_t*>(weights);
}

/// Rows of weights at a list's position.
template <std::size_t rows>
struct RowGroup {
    std::size_t inputs[rows];
    std::size_t ahead[rows];
};

template <std::size_t rows>
RowGroup<rows> row_group(const DenseInt4& problem, std::size_t position) {
    RowGroup<rows> group{};
    for (std::size_t r = 0; r < rows; ++r) {
        group.inputs[r] = problem.rows[position + r];
        group.ahead[r] = problem.rows[std::min(position + r + prefetch_rows, problem.row_count - 1)];
    }
    return group;
}

inline const std::uint8_t* weights_at(const DenseInt4& problem, std::size_t input, std::size_t output) {
    return problem.weights + (input * problem.groups() + output / int4_group) * int4_group_bytes;
}

inline const std::uint16_t* scales_at(const DenseInt4& problem, std::size_t input, std::size_t output) {
    return problem.weight_scale + input * problem.groups() + output / int4_group;
}

inline float* sums_at(const DenseInt4& problem, std::size_t image, std::size_t output) {
    return problem.sums + 2 * image * problem.padded_outputs() + output;
}

inline float* partial_sums_at(const DenseInt4& problem, std::size_t image, std::size_t output) {
    return sums_at(problem, image, output) + problem.padded_outputs();
}

/// sums[b][k] += factors[b] · weight k, for every k.
template <std::size_t images, std::size_t... k>
[[gnu::always_inline]] inline void add_products(const Vector::Register (&factors)[images], Vector::Sum words,
                                                Vector::Register (&sums)[images][weights_of_word],
                                                std::index_sequence<k...>) {
    const auto add = [&](std::size_t place, Vector::Register weight) {
        for (std::size_t b = 0; b < images; ++b) {
            sums[b][place] = Vector::multiply_add(factors[b], weight, sums[b][place]);
        }
    };
    const auto upper = Vector::shift_right(words, shift_of_upper);
    const auto weight = [&]<std::size_t place>(std::index_sequence<place>) {
        if constexpr (place < weights_in_mantissa) {
            return weight_in_mantissa<place>(words);
        } else {
            return weight_in_mantissa<place - upper_weights>(upper);
        }
    };
    (add(k, weight(std::index_sequence<k>())), ...);
}

/// Adds rows, in their order, to the partial sums of one block, whose weights and scales `words` and `scales`
/// load.
template <std::size_t rows, std::size_t images, class LoadWords, class LoadScales>
[[gnu::always_inline]] inline void add_block(const DenseInt4& problem, const RowGroup<rows>& group,
                                             std::size_t image, std::size_t output,
                                             const LoadWords& load_words, const LoadScales& load_scales) {
    using Register = Vector::Register;
    Register sums[images][weights_of_word];
    for (std::size_t b = 0; b < images; ++b) {
        const float* from = partial_sums_at(problem, image + b, output);
        for (std::size_t k = 0; k < weights_of_word; ++k) {
            sums[b][k] = Vector::load(from + k * Vector::width);
        }
    }
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t input = group.inputs[r];
        const Register scales = load_scales(scales_at(problem, input, output));
        Register factors[images];
        for (std::size_t b = 0; b < images; ++b) {
            const float value = problem.input[(image + b) * problem.inputs + input];
            factors[b] = Vector::multiply(scales, Vector::broadcast(value));
        }
        add_products(factors, load_words(weights_at(problem, input, output)), sums,
                     std::make_index_sequence<weights_of_word>());
    }
    for (std::size_t b = 0; b < images; ++b) {
        float* to = partial_sums_at(problem, image + b, output);
        for (std::size_t k = 0; k < weights_of_word; ++k) {
            Vector::store(to + k * Vector::width, sums[b][k]);
        }
    }
}

/// Adds the rows to the partial sums of outputs [begin, end).
template <std::size_t rows, std::size_t images>
void add_group(const DenseInt4& problem, const RowGroup<rows>& group, std::size_t image, std::size_t begin,
               std::size_t end) {
    constexpr std::size_t block = Vector::width * weights_of_word;
    for (std::size_t output = begin; output < end; output += scaled_outputs_of_line) {
        for (std::size_t r = 0; r < rows; ++r) prefetch(scales_at(problem, group.ahead[r], output));
    }
    const std::size_t padded_end = (end + int4_group - 1) / int4_group * int4_group;
    std::size_t output = begin;
    for (; output + block <= padded_end; output += block) {
        if (output % outputs_of_line == 0) {
            for (std::size_t r = 0; r < rows; ++r) prefetch(weights_at(problem, group.ahead[r], output));
        }
        add_block<rows, images>(
            problem, group, image, output,
            [](const std::uint8_t* weights) { return Vector::load_sum(words_at(weights)); },
            [](const std::uint16_t* scales) { return Vector::load_half_scales(scales, groups_of_block); });
    }
    if (output == padded_end) return;
    const std::size_t groups = (padded_end - output) / int4_group;
    add_block<rows, images>(
        problem, group, image, output,
        [groups](const std::uint8_t* weights) {
            return Vector::load_first_sum(words_at(weights), 4 * groups);
        },
        [groups](const std::uint16_t* scales) { return Vector::load_half_scales(scales, groups); });
}

/// Adds the rows to the partial sums of all images from `image` on, at most `images` (a power of two) at
/// once.
template <std::size_t rows, std::size_t images>
void add_group_to_images(const DenseInt4& problem, const RowGroup<rows>& group, std::size_t image,
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
void add_rows(const DenseInt4& problem, std::size_t position, std::size_t last, std::size_t begin,
              std::size_t end) {
    for (; position + rows <= last; position += rows) {
        add_group_to_images<rows, images>(problem, row_group<rows>(problem, position), 0, begin, end);
    }
    if constexpr (rows > 1) add_rows<rows / 2, images>(problem, position, last, begin, end);
}

/// sums += partial sums, partial sums = 0, for `count` of every image: whole blocks.
inline void add_partial_sums(const DenseInt4& problem, std::size_t begin, std::size_t count) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        float* sums = sums_at(problem, image, begin);
        float* partial_sums = partial_sums_at(problem, image, begin);
        for (std::size_t i = 0; i < count; i += Vector::width) {
            Vector::store(sums + i, Vector::add(Vector::load(sums + i), Vector::load(partial_sums + i)));
            Vector::store(partial_sums + i, Vector::zero());
        }
    }
}

/// Where an output of a block has its sum.
inline std::size_t sum_place(std::size_t output) {
    const std::size_t in_group = output % int4_group;
    const std::size_t byte = in_group % int4_group_bytes;
    const std::size_t weight = byte % 4 * 2 + in_group / int4_group_bytes;
    return weight * Vector::width + output / int4_group * 4 + byte / 4;
}

/// output = f(bias + sums).
inline void finish_outputs(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t block = Vector::width * weights_of_word;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = begin; output < end; ++output) {
            const std::size_t offset = (output - begin) % block;
            const float* sums = sums_at(problem, image, output - offset);
            const float value = problem.bias[output] + sums[sum_place(offset)];
            problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
        }
    }
}

/// Computes outputs [begin, end) of every image, at most `images` (a power of two) at once.
template <std::size_t images>
void compute_int4(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t block = Vector::width * weights_of_word;
    for (std::size_t strip = begin; strip < end; strip += strip_outputs) {
        const std::size_t strip_end = std::min(end, strip + strip_outputs);
        const std::size_t padded = (strip_end - strip + block - 1) / block * block;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            std::fill_n(sums_at(problem, image, strip), padded, 0.0F);
            std::fill_n(partial_sums_at(problem, image, strip), padded, 0.0F);
        }
        for (std::size_t position = 0; position < problem.row_count;) {
            const std::size_t chunk = problem.rows[position] / chunk_inputs;
            std::size_t last = position + 1;
            while (last < problem.row_count && problem.rows[last] / chunk_inputs == chunk) ++last;
            add_rows<most_rows, images>(problem, position, last, strip, strip_end);
            add_partial_sums(problem, strip, padded);
            position = last;
        }
        finish_outputs(problem, strip, strip_end);
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
