// Compiled once for each ISA.
#include "kernels/simd/testing/operations.h"

#include "kernels/simd/interleaved.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

using testing::SimdOperations;

void floats(SimdOperations::Floats operation, const float* first, const float* second, const float* third,
            float* result) {
    const auto a = Vector::load(first);
    const auto b = Vector::load_once(second);
    const auto c = Vector::load(third);
    switch (operation) {
        case SimdOperations::Floats::add:
            return Vector::store(result, Vector::add(a, b));
        case SimdOperations::Floats::subtract:
            return Vector::store(result, Vector::subtract(a, b));
        case SimdOperations::Floats::multiply:
            return Vector::store(result, Vector::multiply(a, b));
        case SimdOperations::Floats::divide:
            return Vector::store(result, Vector::divide(a, b));
        case SimdOperations::Floats::maximum:
            return Vector::store(result, Vector::maximum(a, b));
        case SimdOperations::Floats::multiply_add:
            return Vector::store(result, Vector::multiply_add(a, b, c));
        case SimdOperations::Floats::fused_multiply_add:
            return Vector::store(result, Vector::fused_multiply_add(a, b, c));
        case SimdOperations::Floats::fused_subtract_product:
            return Vector::store(result, Vector::fused_subtract_product(c, a, b));
    }
}

void sixteen(const std::int32_t* first, const std::int32_t* second, const float* multiplier,
             const float* bias, float* lower, float* upper, std::uint8_t* bytes) {
    const auto a = Vector::load_sixteen_integers(first);
    const auto b = Vector::load_sixteen_integers(second);
    const auto value = Vector::to_floats_sixteen(Vector::maximum_sixteen_integers(a, b));
    const auto product = Vector::multiply_sixteen(value, Vector::load_sixteen(multiplier));
    const auto y = Vector::not_below_zero_sixteen(Vector::add_sixteen(product, Vector::load_sixteen(bias)));
    Vector::store_lower_eight(lower, y);
    Vector::store_upper_eight(upper, y);
    Vector::store_quantized_sixteen(bytes, y);
}

void doubles(SimdOperations::Doubles operation, const float* first, const float* second, const float* third,
             float* result) {
    const auto a = Vector::load_doubles(first);
    const auto b = Vector::load_doubles(second);
    const auto c = Vector::load_doubles(third);
    switch (operation) {
        case SimdOperations::Doubles::add:
            return Vector::store_doubles(result, Vector::add_double(a, b));
        case SimdOperations::Doubles::subtract:
            return Vector::store_doubles(result, Vector::subtract_double(a, b));
        case SimdOperations::Doubles::maximum:
            return Vector::store_doubles(result, Vector::maximum_double(a, b));
        case SimdOperations::Doubles::multiply_add:
            return Vector::store_doubles(result, Vector::multiply_add_double(a, b, c));
        case SimdOperations::Doubles::nearest_product:
            return Vector::store_doubles(result, Vector::nearest_product(a, b));
        case SimdOperations::Doubles::scale_by_power_of_two:
            return Vector::store_doubles(result, Vector::scale_by_power_of_two(a, b));
    }
}

template <std::size_t index>
Vector::PixelWords weighted(Vector::Pixels a, Vector::Pixels b) {
    constexpr auto& weights = SimdOperations::pixel_weights[index];
    return Vector::weighted_pixels<weights[0], weights[1]>(a, b);
}

Vector::PixelWords weighted(std::size_t index, Vector::Pixels a, Vector::Pixels b) {
    switch (index) {
        case 0:
            return weighted<0>(a, b);
        case 1:
            return weighted<1>(a, b);
        case 2:
            return weighted<2>(a, b);
        case 3:
            return weighted<3>(a, b);
        default:
            return weighted<4>(a, b);
    }
}

void pixel_words(const SimdOperations::PixelWords& operation, const std::uint8_t* a, const std::uint8_t* b,
                 std::uint8_t* result) {
    constexpr std::size_t block = 32;
    const auto pixels =
        weighted(operation.weights, Vector::load_pixels(a, a + block), Vector::load_pixels(b, b + block));
    const auto offset = Vector::broadcast_word(operation.offset);
    const auto factor = Vector::broadcast_word(operation.factor);
    const auto product = [&](Vector::Words words) {
        return Vector::multiply_rounded(
            operation.subtract ? Vector::subtract_words(words, offset) : Vector::add_words(words, offset),
            factor);
    };
    const Vector::PixelWords products = {product(pixels.lower), product(pixels.upper)};
    if (operation.zero_point == 0) {
        Vector::store_bytes<0>(result, products);
    } else {
        Vector::store_bytes<128>(result, products);
    }
}

void dot4_of_quad(const std::uint8_t* quad, const std::int8_t* weights, std::int32_t* sums) {
    Vector::store_sum(sums, Vector::dot4(Vector::broadcast_quad(quad), Vector::load_quad_weights(weights),
                                         Vector::load_sum(sums)));
}

void dot4_of_quads(const std::uint8_t* quads, const std::int8_t* weights, std::int32_t* sums) {
    Vector::store_sum(sums, Vector::dot4(Vector::load_quads(quads), Vector::load_quad_weights(weights),
                                         Vector::load_sum(sums)));
}

void dot4_interleaved(const std::uint8_t* quad, const std::int8_t* const* rows, std::int32_t* sums) {
    const std::int8_t* const pointers[4] = {rows[0], rows[1], rows[2], rows[3]};
    Vector::QuadWeights weights[4];
    Vector::load_interleaved(pointers, weights);
    for (std::size_t k = 0; k < 4; ++k) {
        Vector::store_sum(sums + k * Vector::width,
                          Vector::dot4(Vector::broadcast_quad(quad), weights[k], Vector::zero_sum()));
    }
}

}  // namespace

const SimdOperations simd_operations = {
    .width = Vector::width,
    .doubles_width = Vector::doubles_width,
    .pixels = Vector::pixel_blocks * 32,
    .floats = floats,
    .load_store_first =
        [](const float* from, std::size_t count, float* to) {
            const auto rest = Vector::load_first(from, count);
            float all[Vector::width];
            Vector::store(all, rest);
            for (std::size_t i = count; i < Vector::width; ++i) {
                if (all[i] != 0) return;  // the rest must be zeros
            }
            Vector::store_first(to, count, Vector::add(rest, Vector::zero()));
        },
    .store_past_caches =
        [](const float* from, float* to) {
            Vector::store_past_caches(to, Vector::load(from));
            Vector::finish_stores();
        },
    .greater_lanes = [](const float* a,
                        const float* b) { return Vector::greater_lanes(Vector::load(a), Vector::load(b)); },
    .select_lanes = [](std::uint32_t bits, const float* a,
                       float* result) { Vector::store(result, Vector::select_lanes(bits, Vector::load(a))); },
    .transpose =
        [](const float* rows, float* result) {
            std::array<Vector::Register, Vector::width> square{};
            for (std::size_t i = 0; i < Vector::width; ++i) {
                square[i] = Vector::load(rows + i * Vector::width);
            }
            Vector::transpose(square);
            for (std::size_t i = 0; i < Vector::width; ++i) {
                Vector::store(result + i * Vector::width, square[i]);
            }
        },
    .load_every_fourth = [](const float* from,
                            float* result) { Vector::store(result, Vector::load_every_fourth(from)); },
    .total = [](const float* a) { return Vector::total(Vector::load(a)); },
    .largest = [](const float* a) { return Vector::largest(Vector::load(a)); },
    .store_quantized = [](const float* a,
                          std::uint8_t* result) { Vector::store_quantized(result, Vector::load(a)); },
    .store_quantized_square =
        [](const float* a, std::uint8_t* result) {
            const auto pixel = [&](std::size_t index) { return Vector::load(a + index * Vector::width); };
            Vector::store_quantized_square(result, result + 64,
                                           {{{pixel(0), pixel(1)}, {pixel(2), pixel(3)}}});
        },
    .sixteen = sixteen,
    .sixteen_of_halves =
        [](const float* lower, const float* upper, std::uint8_t* bytes) {
            const auto one = Vector::broadcast_sixteen(1);
            Vector::store_quantized_sixteen(
                bytes, Vector::multiply_sixteen(Vector::load_sixteen(lower, upper), one));
        },
    .two_sixteens =
        [](const float* values, std::uint8_t* bytes) {
            Vector::store_quantized_sixteens(bytes, Vector::load_sixteen(values),
                                             Vector::load_sixteen(values + 16));
        },
    .doubles = doubles,
    .load_store_first_doubles =
        [](const float* from, std::size_t count, float* to) {
            Vector::store_first_doubles(
                to, count,
                Vector::add_double(Vector::load_first_doubles(from, count), Vector::zero_double()));
        },
    .total_double_of_first =
        [](const float* a, std::size_t count) {
            return Vector::total_double(Vector::first_doubles(Vector::load_doubles(a), count));
        },
    .pixel_words = pixel_words,
    .dot4_of_quad = dot4_of_quad,
    .dot4_of_quads = dot4_of_quads,
    .dot4_interleaved = dot4_interleaved,
    .interleaved_place = [](std::size_t i) { return interleaved_place<Vector::width>(i); },
    .total_sum = [](const std::int32_t* a) { return Vector::total_sum(Vector::load_sum(a)); },
    .converted = [](const std::int32_t* a,
                    float* result) { Vector::store(result, Vector::load_converted(a)); },
    .load_first_sum =
        [](const std::int32_t* a, std::size_t count, std::int32_t* result) {
            Vector::store_sum(result, Vector::load_first_sum(a, count));
        },
    .bits_in_mantissa =
        [](const std::int32_t* a, int shift, std::int32_t mask, std::int32_t exponent, float* result) {
            const auto shifted = Vector::shift_right(Vector::load_sum(a), shift);
            Vector::store(result, Vector::from_bits_in_mantissa(shifted, mask, exponent));
        },
    .half_scales = [](const std::uint16_t* halves, std::size_t count,
                      float* result) { Vector::store(result, Vector::load_half_scales(halves, count)); },
};

}  // namespace vgg19::kernels::VGG19_ISA
