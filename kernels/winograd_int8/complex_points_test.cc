// Tests the transforms of F(4×4, 3×3) on complex points.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/common/testing/random.h"
#include "kernels/reference/winograd_int8_tiles.h"
#include "kernels/winograd_int8/testing_layer.h"
#include "kernels/winograd_int8/transform_filter.h"

namespace vgg19::kernels {

namespace {

using testing::Random;

constexpr std::size_t positions = winograd_int8_positions(WinogradInt8Tile::f4x4);
constexpr std::size_t input_side = 6;
constexpr std::size_t side = 4;

/// The tile's outputs from products of transformed pixels and filters without any rounding: small multiples
/// of 1/16 are exact in float.
std::vector<float> by_products(const std::vector<std::int32_t>& pixels,
                               const std::array<std::int8_t, 9>& filter) {
    const auto v = reference_input_f4x4(pixels);
    const auto u = transformed_filter_f4x4(filter.data());
    const auto unit = static_cast<float>(transformed_filter_unit(WinogradInt8Tile::f4x4));
    ReferenceProducts products{
        .x = std::vector<float>(positions), .k = std::vector<float>(positions, 1 / unit), .bias = 0};
    for (std::size_t p = 0; p < positions; ++p) products.x[p] = static_cast<float>(v[p] * u[p]);
    return reference_output_f4x4(products);
}

std::vector<float> direct(const std::vector<std::int32_t>& pixels, const std::array<std::int8_t, 9>& filter) {
    std::vector<float> result(side * side);
    for (std::size_t i = 0; i < result.size(); ++i) {
        for (std::size_t tap = 0; tap < 9; ++tap) {
            const std::size_t row = i / side + tap / 3;
            const std::size_t column = i % side + tap % 3;
            result[i] += static_cast<float>(pixels[row * input_side + column] * filter[tap]);
        }
    }
    return result;
}

}  // namespace

TEST_CASE("F(4×4) on complex points is convolution, exactly, for each pixel and tap alone") {
    for (std::size_t pixel = 0; pixel < input_side * input_side; ++pixel) {
        for (std::size_t tap = 0; tap < 9; ++tap) {
            std::vector<std::int32_t> pixels(input_side * input_side);
            std::array<std::int8_t, 9> filter{};
            pixels[pixel] = 1;
            filter[tap] = 1;
            CAPTURE(pixel);
            CAPTURE(tap);
            CHECK(by_products(pixels, filter) == direct(pixels, filter));
        }
    }
}

TEST_CASE("F(4×4) on complex points: the largest transformed inputs and filters fit") {
    Random random;
    INFO(random.replay());
    const auto largest_of = [&](std::size_t count, auto&& transform) {
        // Each value is a sum of pixels with factors: the largest is that of pixels at its factors' signs.
        std::array<std::array<std::int32_t, positions>, 36> factors{};
        for (std::size_t i = 0; i < count; ++i) factors[i] = transform(i);
        std::array<std::array<std::int32_t, 2>, positions> sums{};  // of positive and of negative factors
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t p = 0; p < positions; ++p) {
                sums[p][factors[i][p] < 0 ? 1 : 0] += std::abs(factors[i][p]);
            }
        }
        return sums;
    };
    const auto inputs = largest_of(36, [](std::size_t i) {
        std::vector<std::int32_t> pixels(36);
        pixels[i] = 255;
        std::array<std::int32_t, positions> values{};
        std::ranges::copy(reference_input_f4x4(pixels), values.begin());
        return values;
    });
    for (std::size_t p = 0; p < positions; ++p) {
        CAPTURE(p);
        const bool never_negative = winograd_int8_zero_point(p) == 0;
        CHECK((inputs[p][1] == 0) == never_negative);
        CHECK(std::max(inputs[p][0], inputs[p][1]) <= (never_negative ? 4080 : 2040));
    }
    const auto filters = largest_of(9, [](std::size_t i) {
        std::array<std::int8_t, 9> filter{};
        filter[i] = -128;
        return transformed_filter_f4x4(filter.data());
    });
    for (const auto& sums : filters) CHECK(sums[0] + sums[1] <= 24 * 128);
}

TEST_CASE("the winograd_int8 reference of F(4×4) follows the formulas") {
    Random random;
    INFO(random.replay());
    for (int repetition = 0; repetition < 20; ++repetition) {
        Layer layer({1, 7, 5, 4, 4, false, WinogradInt8Tile::f4x4});
        layer.fill(random);
        layer.pack(1);
        layer.scale_output(0.5F);
        for (std::size_t o = 0; o < 5; ++o) layer.bias[o] = random.uniform(-40.0F, 80.0F);
        const std::vector<float> found = layer.expected(Target::floats_of_8);
        const WinogradInt8& problem = layer.problem;
        std::vector<std::array<std::int32_t, positions>> v(7);
        for (std::size_t c = 0; c < 7; ++c) {
            std::vector<std::int32_t> pixels(36);
            for (std::size_t i = 0; i < 16; ++i) {
                pixels[(i / 4 + 1) * 6 + i % 4 + 1] = layer.pixel(0, c, i / 4, i % 4);
            }
            const auto exact = reference_input_f4x4(pixels);
            for (std::size_t p = 0; p < positions; ++p) {
                const double zero = winograd_int8_zero_point(p);
                const double step = 32768.0 / problem.input_multiplier[p];
                v[c][p] = static_cast<std::int32_t>(
                    std::clamp(std::floor(exact[p] / step + 0.5) + zero, 0.0, 255.0) - zero);
            }
        }
        for (std::size_t o = 0; o < 5; ++o) {
            std::vector<std::array<std::int32_t, positions>> u(7);
            for (std::size_t c = 0; c < 7; ++c)
                u[c] = transformed_filter_f4x4(&layer.plain_weights[(o * 7 + c) * 9]);
            ReferenceProducts products{.x = std::vector<float>(positions),
                                       .k = std::vector<float>(positions),
                                       .bias = layer.bias[o]};
            double largest_product = 0;
            for (std::size_t p = 0; p < positions; ++p) {
                double largest = 0;
                for (const auto& filter : u)
                    largest = std::max(largest, std::abs(static_cast<double>(filter[p])));
                double sum = 0;
                for (std::size_t c = 0; c < 7; ++c) sum += v[c][p] * std::round(127 * u[c][p] / largest);
                products.x[p] = static_cast<float>(sum);
                products.k[p] = problem.multiplier[p * problem.padded_output_channels() + o];
                largest_product = std::max(largest_product, std::abs(sum * double{products.k[p]}));
            }
            const std::vector<float> y = reference_output_f4x4(products);
            for (std::size_t i = 0; i < 16; ++i) {
                CHECK(std::abs(found[i * 8 + o] - std::max(0.0F, y[i])) <= 46 * largest_product * 1e-6);
            }
        }
    }
}

TEST_CASE("F(4×4)'s multipliers of inputs: a step of one input step, or finer, is exact") {
    CHECK(winograd_int8_input_multiplier(WinogradInt8Tile::f4x4, 0.5F, 8.0F) == 2048);
    CHECK(winograd_int8_input_multiplier(WinogradInt8Tile::f4x4, 0.5F, 0.5F) == 32767);
    CHECK(winograd_int8_input_multiplier(WinogradInt8Tile::f4x4, 0.5F, 0.01F) == 32767);
    CHECK(winograd_int8_input_multiplier(WinogradInt8Tile::f4x4, 0.5F, 1e9F) == 1);
    for (int value = -4080; value <= 4080; ++value) {
        const int rounded = (value * 32767 + (1 << 14)) >> 15;
        CHECK(rounded == value);
    }
}

}  // namespace vgg19::kernels
