// INT4 weights.
//
// A register of `width` 32-bit words holds the weights of width / 4 groups, eight in a word. Weight k of
// every word makes a register of floats, so that a block of outputs has eight registers of sums: in sum k,
// lane 4·g + d belongs to group g and its byte 4·d + k / 2.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/dense/rows_with_input.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

inline constexpr std::size_t cache_line = 64;  ///< bytes
inline constexpr std::size_t weights_of_word = 8;
inline constexpr std::size_t outputs_of_line = 2 * cache_line;
inline constexpr std::size_t scaled_outputs_of_line = cache_line / sizeof(std::uint16_t) * int4_group;

/// Converts weight k of a word to float without moving its bits: they become mantissa bits of a float whose
/// exponent gives the lowest of them the value 1. Subtracting that float's offset and the weights' offset
/// leaves q: exact, and cheaper than a shift and a conversion. This works only for weights below the
/// exponent's bits; the upper ones are first shifted down together.
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

/// q for weight k of every word.
template <std::size_t k>
[[gnu::always_inline]] inline Vector::Register weight_in_mantissa(Vector::Sum words) {
    const auto number = Vector::from_bits_in_mantissa(words, InMantissa<k>::mask, InMantissa<k>::exponent);
    return Vector::subtract(number, Vector::broadcast(InMantissa<k>::offset));
}

/// Words at any address, aligned or not.
[[gnu::always_inline]] inline const std::int32_t* words_at(const std::uint8_t* weights) {
    return reinterpret_cast<const std::int32_t*>(weights);
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

/// For kernels/dense/rows_with_input.h, with at most `most_images` (a power of two) at once.
template <std::size_t most_images>
struct Int4Rows {
    using Sum = float;
    static constexpr std::size_t prefetch_rows = 16;
    static constexpr std::size_t block = Vector::width * weights_of_word;
    static std::size_t sum_place(std::size_t offset) {
        const std::size_t in_group = offset % int4_group;
        const std::size_t byte = in_group % int4_group_bytes;
        const std::size_t weight = byte % 4 * 2 + in_group / int4_group_bytes;
        return weight * Vector::width + offset / int4_group * 4 + byte / 4;
    }

    template <std::size_t rows>
    static void add(const Dense& problem, const RowGroup<rows>& group, Range outputs) {
        const auto add_images = [&](auto images, std::size_t image) {
            add_to_images<rows, images()>(problem, group, image, outputs);
        };
        for_image_groups<most_images>(problem.batch, add_images);
    }

  private:
    static const std::uint8_t* weights_at(const Dense& problem, std::size_t input, std::size_t output) {
        return problem.int4_weights +
               (input * problem.int4_groups() + output / int4_group) * int4_group_bytes;
    }
    static const std::uint16_t* scales_at(const Dense& problem, std::size_t input, std::size_t output) {
        return problem.int4_scale + input * problem.int4_groups() + output / int4_group;
    }

    template <std::size_t rows, std::size_t images>
    static void add_to_images(const Dense& problem, const RowGroup<rows>& group, std::size_t image,
                              Range outputs) {
        for (std::size_t output = outputs.begin; output < outputs.end; output += scaled_outputs_of_line) {
            for (const std::size_t input : group.ahead) prefetch(scales_at(problem, input, output));
        }
        const std::size_t padded_end = (outputs.end + int4_group - 1) / int4_group * int4_group;
        std::size_t output = outputs.begin;
        for (; output + block <= padded_end; output += block) {
            if (output % outputs_of_line == 0) {
                for (const std::size_t input : group.ahead) prefetch(weights_at(problem, input, output));
            }
            add_block<rows, images>(
                problem, group, image, output,
                [](const std::uint8_t* weights) { return Vector::load_sum(words_at(weights)); },
                [](const std::uint16_t* scales) {
                    return Vector::load_half_scales(scales, groups_of_block);
                });
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

    /// Adds rows, in order, to the sums of one block; `load_words` and `load_scales` load its weights
    /// and scales.
    template <std::size_t rows, std::size_t images, class LoadWords, class LoadScales>
    [[gnu::always_inline]] static void add_block(const Dense& problem, const RowGroup<rows>& group,
                                                 std::size_t image, std::size_t output,
                                                 const LoadWords& load_words, const LoadScales& load_scales) {
        using Register = Vector::Register;
        Register sums[images][weights_of_word];
        for (std::size_t b = 0; b < images; ++b) {
            const auto* from = sums_at<float>(problem, group.part, image + b, output);
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
            auto* to = sums_at<float>(problem, group.part, image + b, output);
            for (std::size_t k = 0; k < weights_of_word; ++k) {
                Vector::store(to + k * Vector::width, sums[b][k]);
            }
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
