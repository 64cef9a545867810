#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/winograd_int8/schedule.h"
#include "kernels/winograd_int8/testing_layer.h"

namespace vgg19::kernels {

namespace {

using testing::Random;

constexpr std::size_t positions = winograd_int8_positions(WinogradInt8Tile::f2x2);
constexpr WinogradInt8Tile tiles[] = {WinogradInt8Tile::f2x2, WinogradInt8Tile::f4x4};
constexpr Target targets[] = {Target::quantized, Target::floats_of_8, Target::floats_of_16};

void check_against_reference(const Layer& layer) {
    for (const Target target : targets) {
        CAPTURE(static_cast<int>(target));
        const std::vector<float> expected = layer.expected(target);
        testing::for_each_usable_kernel(winograd_int8_kernels(), [&](const auto& kernel) {
            for (const std::size_t blocks : {std::size_t{1}, (layer.problem.tiles() + 12) / 13}) {
                CAPTURE(blocks);
                CHECK(layer.run(*kernel.run, {WinogradSplit::tiles, blocks, 1}, target) == expected);
            }
        });
    }
}

std::array<std::array<double, 4>, 4> matrix_product(const std::array<std::array<double, 4>, 4>& a,
                                                    const std::array<std::array<double, 4>, 4>& b) {
    std::array<std::array<double, 4>, 4> result{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            for (std::size_t k = 0; k < 4; ++k) result[i][j] += a[i][k] * b[k][j];
        }
    }
    return result;
}

std::array<std::array<double, 4>, 4> transposed(const std::array<std::array<double, 4>, 4>& a) {
    std::array<std::array<double, 4>, 4> result{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) result[j][i] = a[i][j];
    }
    return result;
}

// The matrices of the header, padded to squares.
constexpr std::array<std::array<double, 4>, 4> input_matrix = {
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};
constexpr std::array<std::array<double, 4>, 4> filter_matrix = {
    {{1, 0, 0, 0}, {0.5, 0.5, 0.5, 0}, {0.5, -0.5, 0.5, 0}, {0, 0, 1, 0}}};
constexpr std::array<std::array<double, 4>, 4> output_matrix = {
    {{1, 1, 1, 0}, {0, 1, -1, -1}, {0, 0, 0, 0}, {0, 0, 0, 0}}};

/// a x aᵀ
std::array<std::array<double, 4>, 4> sandwich(const std::array<std::array<double, 4>, 4>& a,
                                              const std::array<std::array<double, 4>, 4>& x) {
    return matrix_product(matrix_product(a, x), transposed(a));
}

/// The header's formulas in double, for a map of one tile.
class Formula {
  public:
    explicit Formula(Layer& layer) : layer_(layer) {}

    /// y[row][column] of an output channel.
    std::array<std::array<double, 4>, 4> pixels(std::size_t output_channel) const {
        std::array<std::array<double, 4>, 4> scaled{};
        const WinogradInt8& problem = layer_.problem;
        for (std::size_t p = 0; p < positions; ++p) {
            double largest = 0;
            for (std::size_t c = 0; c < problem.input_channels; ++c) {
                largest = std::max(largest, std::abs(filter(output_channel, c)[p / 4][p % 4]));
            }
            double sum = 0;
            for (std::size_t c = 0; c < problem.input_channels; ++c) {
                const double u = std::round(127 * filter(output_channel, c)[p / 4][p % 4] / largest);
                const double zero = winograd_int8_zero_point(p);
                const double product = transformed(c)[p / 4][p % 4] * problem.input_multiplier[p];
                const double v = std::clamp(std::floor((product + 512) / 1024) + zero, 0.0, 255.0);
                sum += (v - zero) * u;
            }
            scaled[p / 4][p % 4] =
                sum * double{problem.multiplier[p * problem.padded_output_channels() + output_channel]};
        }
        return sandwich(output_matrix, scaled);
    }

  private:
    std::array<std::array<double, 4>, 4> filter(std::size_t output_channel, std::size_t channel) const {
        std::array<std::array<double, 4>, 4> g{};
        for (std::size_t tap = 0; tap < 9; ++tap) {
            g[tap / 3][tap % 3] =
                layer_.plain_weights[(output_channel * layer_.problem.input_channels + channel) * 9 + tap];
        }
        return sandwich(filter_matrix, g);
    }

    std::array<std::array<double, 4>, 4> transformed(std::size_t channel) const {
        std::array<std::array<double, 4>, 4> d{};
        for (std::size_t row = 0; row < layer_.problem.height; ++row) {
            for (std::size_t column = 0; column < layer_.problem.width; ++column) {
                d[row + 1][column + 1] = layer_.pixel(0, channel, row, column);
            }
        }
        return sandwich(input_matrix, d);
    }

    Layer& layer_;
};

}  // namespace

TEST_CASE("winograd_int8 gives the reference's bits on every ISA, at channels that straddle vectors") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t channels[] = {3, 4, 5, 16, 31, 32, 33, 70, 230};
    constexpr std::size_t count = std::size(channels);
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::size_t shift : {0U, 2U, 5U}) {
            const std::size_t inputs = channels[i];
            const std::size_t outputs = channels[(i + shift) % count];
            if (inputs + outputs > 300) continue;
            CAPTURE(inputs);
            CAPTURE(outputs);
            for (const WinogradInt8Tile tile : tiles) {
                check_against_reference(Layer({1, inputs, outputs, 3, 5, false, tile}, random));
            }
        }
    }
}

TEST_CASE("winograd_int8 gives the reference's bits on every ISA, for maps of every kind") {
    Random random;
    INFO(random.replay());
    for (const std::size_t height : {1U, 2U, 3U, 5U, 7U, 14U, 15U}) {
        for (const std::size_t width : {1U, 2U, 3U, 7U, 14U, 15U}) {
            for (const bool pool : {false, true}) {
                if (pool && (height < 2 || width < 2)) continue;
                CAPTURE(height);
                CAPTURE(width);
                CAPTURE(pool);
                for (const WinogradInt8Tile tile : tiles) {
                    check_against_reference(Layer({2, 9, 18, height, width, pool, tile}, random));
                }
            }
        }
    }
}

TEST_CASE("winograd_int8 gives the reference's bits without ReLU, and 8-bit outputs always have it") {
    Random random;
    INFO(random.replay());
    for (const WinogradInt8Tile tile : tiles) {
        for (const bool pool : {false, true}) {
            Layer layer({2, 33, 18, 7, 9, pool, tile}, random);
            const std::vector<float> rectified = layer.expected(Target::floats_of_8);
            const std::vector<float> quantized = layer.expected(Target::quantized);
            layer.problem.output.relu = false;
            CAPTURE(static_cast<int>(tile));
            CAPTURE(pool);
            check_against_reference(layer);
            CHECK(layer.expected(Target::quantized) == quantized);
            const std::vector<float> plain = layer.expected(Target::floats_of_8);
            CHECK(*std::min_element(plain.begin(), plain.end()) < 0);
            CHECK(std::equal(plain.begin(), plain.end(), rectified.begin(),
                             [](float value, float relu) { return std::max(value, 0.0F) == relu; }));
        }
    }
}

TEST_CASE(
    "winograd_int8 gives the reference's bits on every ISA, for short and long sums by any number of tiles") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {252U, 256U, 261U}) {
        for (std::size_t count = 1; count <= 29; count += count < 15 ? 1 : 7) {
            CAPTURE(inputs);
            CAPTURE(count);
            for (const WinogradInt8Tile tile : tiles) {
                const std::size_t side = winograd_int8_tile_side(tile);
                check_against_reference(Layer({1, inputs, 33, side, side * count, false, tile}, random));
            }
        }
    }
}

TEST_CASE("winograd_int8 does not saturate where all values are the same corner") {
    for (const int input : {0, 1, 127, 128, 255}) {
        for (const int weight : {-127, -1, 0, 127}) {
            for (const int factor : {1, 128, 1024, 32767, -1, -128, -2048, -32767}) {
                // Negative here: of the larger tile.
                const auto tile = factor > 0 ? WinogradInt8Tile::f2x2 : WinogradInt8Tile::f4x4;
                Layer layer({1, 36, 17, 3, 4, false, tile});
                layer.for_each_pixel(
                    [&](std::size_t image, std::size_t channel, std::size_t row, std::size_t column) {
                        layer.pixel(image, channel, row, column) = static_cast<std::uint8_t>(input);
                    });
                std::fill(layer.plain_weights.begin(), layer.plain_weights.end(),
                          static_cast<std::int8_t>(weight));
                layer.problem.input_multiplier.fill(static_cast<std::int16_t>(std::abs(factor)));
                layer.pack(1);
                std::fill(layer.multiplier.begin(), layer.multiplier.end(), 1.0F);
                CAPTURE(input);
                CAPTURE(weight);
                CAPTURE(factor);
                check_against_reference(layer);
            }
        }
    }
}

TEST_CASE("winograd_int8 quantises results that are huge, negative, infinite or not numbers alike") {
    Random random;
    INFO(random.replay());
    for (const float factor : {1e6F, 3e38F, -1e6F}) {
        for (const WinogradInt8Tile tile : tiles) {
            Layer layer({1, 8, 20, 6, 6, false, tile}, random);
            for (float& multiplier : layer.multiplier) multiplier *= factor;
            CAPTURE(factor);
            const std::vector<float> expected = layer.expected(Target::quantized);
            testing::for_each_usable_kernel(winograd_int8_kernels(), [&](const auto& kernel) {
                CHECK(layer.run(*kernel.run, {WinogradSplit::tiles, 1, 1}, Target::quantized) == expected);
            });
        }
    }
}

TEST_CASE("the winograd_int8 reference follows the formulas") {
    Random random;
    INFO(random.replay());
    for (int repetition = 0; repetition < 20; ++repetition) {
        Layer layer({1, 7, 5, 2, 2});
        layer.fill(random);
        for (auto& factor : layer.problem.input_multiplier) {
            factor = static_cast<std::int16_t>(repetition % 2 == 0 ? random.integer(1, 300)
                                                                   : random.integer(1, 32767));
        }
        layer.pack(1);
        layer.scale_output(0.5F);
        for (std::size_t o = 0; o < 5; ++o) layer.bias[o] = random.uniform(-40.0F, 80.0F);
        const std::vector<float> found = layer.expected(Target::floats_of_8);
        for (std::size_t o = 0; o < 5; ++o) {
            const auto expected = Formula(layer).pixels(o);
            double largest = 0;
            for (std::size_t p = 0; p < positions; ++p) {
                largest = std::max(largest, 127.0 * 255 * 7 * double{layer.multiplier[p * 32 + o]});
            }
            for (std::size_t pixel = 0; pixel < 4; ++pixel) {
                const double y = expected[pixel / 2][pixel % 2] + double{layer.bias[o]};
                // Nine terms of at most `largest`, each rounded to 24 bits a few times.
                CHECK(std::abs(found[pixel * 8 + o] - std::max(0.0, y)) <= 9 * largest * 1e-6);
            }
        }
    }
}

TEST_CASE(
    "winograd_int8's filter steps are the largest filter's share of 127, with the weight's scale in them") {
    Random random;
    INFO(random.replay());
    Layer layer({1, 6, 35, 2, 2});
    layer.fill(random);
    std::fill_n(layer.plain_weights.begin() + 6 * 9, 6 * 9, std::int8_t{0});
    std::fill(layer.filter_scale.begin(), layer.filter_scale.end(), -1.0F);
    layer.pack(2);
    for (std::size_t p = 0; p < positions; ++p) {
        const float* scale = &layer.filter_scale[p * 64];
        CHECK(scale[1] == 0);
        CHECK(std::all_of(scale + 35, scale + 64, [](float value) { return value == 0; }));
    }
    // Position 0 is a corner element of the filter itself.
    int largest = 0;
    for (std::size_t c = 0; c < 6; ++c) {
        largest = std::max(largest, std::abs(int{layer.plain_weights[c * 9]}));
    }
    CHECK(layer.filter_scale[0] ==
          doctest::Approx(static_cast<double>(largest) / 127 * double{layer.weight_scale[0]}).epsilon(1e-6));
}

TEST_CASE("winograd_int8 approximates direct convolution") {
    Random random;
    INFO(random.replay());
    for (const WinogradInt8Tile tile : tiles) {
        Layer layer({1, 64, 16, 12, 12, false, tile});
        layer.fill(random);
        // 1020 · 128 / 1024, or 2040 · 2040 / 32768: nothing saturates.
        layer.problem.input_multiplier.fill(tile == WinogradInt8Tile::f2x2 ? 128 : 2040);
        std::fill(layer.weight_scale.begin(), layer.weight_scale.end(), 1.0F);
        layer.pack(1);
        layer.scale_output(1.0F);
        const std::vector<float> found = layer.expected(Target::floats_of_16);
        double squared_error = 0;
        double squares = 0;
        for (std::size_t o = 0; o < 16; ++o) {
            for (std::size_t i = 0; i < 144; ++i) {
                double sum = 0;
                for (std::size_t k = 0; k < 64 * 9; ++k) {
                    const std::size_t row = i / 12 + k % 9 / 3 - 1;
                    const std::size_t column = i % 12 + k % 3 - 1;
                    if (row >= 12 || column >= 12) continue;
                    sum += layer.pixel(0, k / 9, row, column) * layer.plain_weights[o * 64 * 9 + k];
                }
                squares += sum * sum;
                squared_error += sum > 0 ? std::pow(sum - double{found[i * 16 + o]}, 2) : 0;
            }
        }
        // Rounding to steps of 8 causes an RMS error of 8/√12 = 2.3 in transformed pixels with an RMS of
        // 148: 1.6 % of the signal. Filters with 127 steps add a third of that. ReLU removes a part: measured
        // errors are 1 to 1.3 %.
        CAPTURE(static_cast<int>(tile));
        CHECK(std::sqrt(squared_error / squares) < 0.03);
    }
}

TEST_CASE("winograd_int8 gives the same bits for every schedule and number of threads") {
    Random random;
    INFO(random.replay());
    for (const int variant : {0, 1, 2, 3}) {
        const Layer layer({2, 37, 101, 13, 10, variant % 2 == 1, tiles[variant / 2]}, random);
        const std::vector<float> expected = layer.expected(Target::quantized);
        testing::for_each_usable_kernel(winograd_int8_kernels(), [&](const auto& kernel) {
            for (const int threads : {1, 2, 3, 64}) {
                CAPTURE(threads);
                CHECK(layer.run(*kernel.run,
                                winograd_int8_schedule(layer.problem, this_machine(kernel.isa),
                                                       channel_block(kernel.isa), threads),
                                Target::quantized) == expected);
                for (const auto split : {WinogradSplit::tiles, WinogradSplit::positions}) {
                    for (const std::size_t blocks : {1U, 2U, 5U, 20U}) {
                        CAPTURE(static_cast<int>(split));
                        CAPTURE(blocks);
                        CHECK(layer.run(*kernel.run, {split, blocks, threads}, Target::quantized) ==
                              expected);
                    }
                }
                for (const std::size_t parts : {2U, 3U, 5U}) {
                    CAPTURE(parts);
                    CHECK(layer.run(*kernel.run, {WinogradSplit::tiles, 2, threads, 1, parts},
                                    Target::quantized) == expected);
                }
            }
        });
    }
}

TEST_CASE("winograd_int8 needs no tile for every thread") {
    Random random;
    INFO(random.replay());
    for (const WinogradInt8Tile tile : tiles) {
        const Layer layer({1, 3, 5, 2, 3, false, tile}, random);
        const std::vector<float> expected = layer.expected(Target::quantized);
        testing::for_each_usable_kernel(winograd_int8_kernels(), [&](const auto& kernel) {
            for (const int threads : {2, 3, 16}) {
                CAPTURE(threads);
                CHECK(layer.run(*kernel.run,
                                winograd_int8_schedule(layer.problem, this_machine(kernel.isa),
                                                       channel_block(kernel.isa), threads),
                                Target::quantized) == expected);
            }
        });
    }
}

TEST_CASE("winograd_int8 packs the same for every number of threads") {
    Random random;
    INFO(random.replay());
    for (const WinogradInt8Tile tile : tiles) {
        Layer layer({1, 37, 101, 2, 2, false, tile});
        layer.fill(random);
        layer.pack(1);
        const std::vector<std::int8_t> packed(layer.weights.begin(), layer.weights.end());
        const std::vector<float> scale(layer.filter_scale.begin(), layer.filter_scale.end());
        for (const int threads : {2, 3}) {
            layer.pack(threads);
            CHECK(std::equal(packed.begin(), packed.end(), layer.weights.begin()));
            CHECK(std::equal(scale.begin(), scale.end(), layer.filter_scale.begin()));
        }
    }
}

}  // namespace vgg19::kernels
