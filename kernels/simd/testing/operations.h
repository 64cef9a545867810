// For tests: the operations of each ISA's vector layer (kernels/simd/vector.h), on arrays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels::testing {

/// The operands and results of an operation are arrays with one element per lane of its type.
struct SimdOperations {
    std::size_t width;
    std::size_t doubles_width;
    std::size_t pixels;  ///< bytes in Pixels

    enum class Floats : unsigned char {
        add,
        subtract,
        multiply,
        divide,
        maximum,
        multiply_add,
        fused_multiply_add,
        fused_subtract_product,  ///< c − a · b
    };
    void (*floats)(Floats operation, const float* a, const float* b, const float* c, float* result);
    void (*load_store_first)(const float* from, std::size_t count, float* to);
    /// Stores at a register's alignment.
    void (*store_past_caches)(const float* from, float* to);
    std::uint32_t (*greater_lanes)(const float* a, const float* b);
    void (*select_lanes)(std::uint32_t bits, const float* a, float* result);
    void (*transpose)(const float* rows, float* result);  ///< [width][width]
    void (*load_every_fourth)(const float* from, float* result);
    float (*total)(const float* a);
    float (*largest)(const float* a);
    void (*store_quantized)(const float* a, std::uint8_t* result);
    /// `a` has four pixels, `result` two rows of two pixels, each 32 bytes apart.
    void (*store_quantized_square)(const float* a, std::uint8_t* result);

    /// max(0, float(max(a, b)) · multiplier + bias) as lower and upper half, and as bytes.
    void (*sixteen)(const std::int32_t* a, const std::int32_t* b, const float* multiplier, const float* bias,
                    float* lower, float* upper, std::uint8_t* bytes);
    void (*sixteen_of_halves)(const float* lower, const float* upper, std::uint8_t* bytes);
    void (*two_sixteens)(const float* values, std::uint8_t* bytes);

    enum class Doubles : unsigned char {
        add,
        subtract,
        maximum,
        multiply_add,
        nearest_product,
        scale_by_power_of_two,
    };
    void (*doubles)(Doubles operation, const float* a, const float* b, const float* c, float* result);
    void (*load_store_first_doubles)(const float* from, std::size_t count, float* to);
    double (*total_double_of_first)(const float* a, std::size_t count);

    /// The weights of weighted_pixels.
    static constexpr int pixel_weights[][2] = {{32, -32}, {32, 32}, {-32, 32}, {-128, 0}, {3, -5}};
    struct PixelWords {
        std::size_t weights;  ///< index of pixel_weights
        std::int16_t offset;  ///< is added to the weighted pixels, or subtracted
        bool subtract;
        std::int16_t factor;  ///< of multiply_rounded
        int zero_point;       ///< of store_bytes
    };
    void (*pixel_words)(const PixelWords& operation, const std::uint8_t* a, const std::uint8_t* b,
                        std::uint8_t* result);

    void (*dot4_of_quad)(const std::uint8_t* quad, const std::int8_t* weights, std::int32_t* sums);
    void (*dot4_of_quads)(const std::uint8_t* quads, const std::int8_t* weights, std::int32_t* sums);
    void (*dot4_interleaved)(const std::uint8_t* quad, const std::int8_t* const* rows, std::int32_t* sums);
    std::size_t (*interleaved_place)(std::size_t i);
    std::int32_t (*total_sum)(const std::int32_t* a);
    void (*converted)(const std::int32_t* a, float* result);
    void (*load_first_sum)(const std::int32_t* a, std::size_t count, std::int32_t* result);
    void (*bits_in_mantissa)(const std::int32_t* a, int shift, std::int32_t mask, std::int32_t exponent,
                             float* result);
    void (*half_scales)(const std::uint16_t* halves, std::size_t count, float* result);
};

}  // namespace vgg19::kernels::testing

namespace vgg19::kernels {

VGG19_KERNELS(VGG19_ALL_ISAS, const testing::SimdOperations, simd_operations)

}  // namespace vgg19::kernels
