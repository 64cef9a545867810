// Compares every operation of the vector layer with its definition, on every ISA of this CPU.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/common/float16.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/simd/testing/operations.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;
using testing::SimdOperations;

template <class Body>
void for_each_isa(const Body& body) {
    std::size_t tested = 0;
    testing::for_each_usable_kernel(simd_operations_kernels(), [&](const auto& kernel) {
        body(*kernel.run);
        ++tested;
    });
    CHECK(tested > 0);
}

/// Values of all magnitudes, including those for which instructions differ.
void fill_operands(GuardedBuffer<float>& values, Random& random) {
    constexpr float special[] = {0.0F,
                                 -0.0F,
                                 1.0F,
                                 -1.0F,
                                 0.5F,
                                 255.0F,
                                 3e38F,
                                 -3e38F,
                                 1e-38F,
                                 std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::quiet_NaN()};
    for (float& value : values) {
        value = random.integer(0, 3) == 0
                    ? special[random.integer(0, static_cast<int>(std::size(special)) - 1)]
                    : std::ldexp(random.uniform(-1, 1), random.integer(-20, 20));
    }
}

bool same(float a, float b) {
    return (std::isnan(a) && std::isnan(b)) ||
           std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

float expected(SimdOperations::Floats operation, float a, float b, float c) {
    switch (operation) {
        case SimdOperations::Floats::add:
            return a + b;
        case SimdOperations::Floats::subtract:
            return a - b;
        case SimdOperations::Floats::multiply:
            return a * b;
        case SimdOperations::Floats::divide:
            return a / b;
        case SimdOperations::Floats::maximum:
            return a > b ? a : b;
        case SimdOperations::Floats::multiply_add:
        case SimdOperations::Floats::fused_multiply_add:
            return std::fma(a, b, c);
        case SimdOperations::Floats::fused_subtract_product:
            return std::fma(-a, b, c);
    }
    return 0;
}

constexpr int repetitions = 200;

}  // namespace

TEST_CASE("vector layer: arithmetic of floats") {
    using enum SimdOperations::Floats;
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            GuardedBuffer<float> a(simd.width), b(simd.width), c(simd.width), result(simd.width);
            for (auto* values : {&a, &b, &c}) fill_operands(*values, random);
            for (const auto operation : {add, subtract, multiply, divide, maximum, multiply_add,
                                         fused_multiply_add, fused_subtract_product}) {
                CAPTURE(static_cast<int>(operation));
                simd.floats(operation, a.data(), b.data(), c.data(), result.data());
                for (std::size_t i = 0; i < simd.width; ++i) {
                    CAPTURE(a[i]);
                    CAPTURE(b[i]);
                    CAPTURE(c[i]);
                    const float wanted = expected(operation, a[i], b[i], c[i]);
                    const bool twice = operation == multiply_add && same(result[i], a[i] * b[i] + c[i]);
                    CHECK((twice || same(result[i], wanted)));
                }
            }
        }
    });
}

TEST_CASE("vector layer: the first lanes, every fourth float, sums and maxima over the lanes") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        for (std::size_t count = 0; count <= simd.width; ++count) {
            GuardedBuffer<float> from(count);
            GuardedBuffer<float> to(count);
            random.fill(from, 1, 2);
            simd.load_store_first(from.data(), count, to.data());
            CHECK(std::equal(from.begin(), from.end(), to.begin()));
        }
        GuardedBuffer<float> from(4 * simd.width);
        GuardedBuffer<float> to(simd.width);
        random.fill(from, -1, 1);
        simd.load_every_fourth(from.data(), to.data());
        for (std::size_t i = 0; i < simd.width; ++i) CHECK(to[i] == from[4 * i]);
        CHECK(simd.largest(to.data()) == *std::max_element(to.begin(), to.end()));
        std::vector<float> lanes(to.begin(), to.end());
        for (std::size_t half = simd.width / 2; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
        }
        CHECK(simd.total(to.data()) == lanes[0]);
    });
}

TEST_CASE("vector layer: lanes that are greater, selected lanes, transposition, stores past the caches") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            GuardedBuffer<float> a(simd.width), b(simd.width), result(simd.width);
            for (auto* values : {&a, &b}) fill_operands(*values, random);
            if (repetition % 2 == 0) std::copy_n(a.begin(), simd.width / 2, b.begin());  // equal ones
            const std::uint32_t bits = simd.greater_lanes(a.data(), b.data());
            CHECK((bits >> simd.width) == 0);
            const auto wanted = static_cast<std::uint32_t>(random.integer(0, (1 << simd.width) - 1));
            simd.select_lanes(wanted, a.data(), result.data());
            for (std::size_t i = 0; i < simd.width; ++i) {
                CHECK(((bits >> i) & 1U) == (a[i] > b[i] ? 1U : 0U));
                CHECK(same(result[i], ((wanted >> i) & 1U) == 1 ? a[i] : 0.0F));
            }
        }
        const std::size_t width = simd.width;
        GuardedBuffer<float> square(width * width);
        GuardedBuffer<float> transposed(width * width);
        random.fill(square, -1, 1);
        simd.transpose(square.data(), transposed.data());
        for (std::size_t i = 0; i < width * width; ++i) {
            CHECK(transposed[i] == square[i % width * width + i / width]);
        }
        GuardedBuffer<float> stored(width);  // ends at a page, so it is aligned
        simd.store_past_caches(square.data(), stored.data());
        CHECK(std::equal(stored.begin(), stored.end(), square.begin()));
    });
}

TEST_CASE("vector layer: quantisation rounds ties to even and saturates") {
    const float values[] = {0.0F,   0.5F,   1.5F,   2.5F,   0.49999997F,
                            254.5F, 255.0F, 255.5F, 3e9F,   3e38F,
                            1e-40F, 7.0F,   128.5F, 129.5F, std::numeric_limits<float>::infinity(),
                            3.3F};
    const std::uint8_t wanted[] = {0, 0, 2, 2, 0, 254, 255, 255, 255, 255, 0, 7, 128, 130, 255, 3};
    for_each_isa([&](const SimdOperations& simd) {
        GuardedBuffer<float> from(16);
        std::copy(std::begin(values), std::end(values), from.begin());
        for (std::size_t part = 0; part < 16; part += simd.width) {
            GuardedBuffer<std::uint8_t> bytes(simd.width);
            simd.store_quantized(from.data() + part, bytes.data());
            CHECK(std::equal(bytes.begin(), bytes.end(), wanted + part));
        }
        GuardedBuffer<std::uint8_t> bytes(16);
        simd.sixteen_of_halves(from.data(), from.data() + 8, bytes.data());
        CHECK(std::equal(bytes.begin(), bytes.end(), wanted));

        GuardedBuffer<float> two(32);
        GuardedBuffer<std::uint8_t> two_bytes(32);
        for (std::size_t i = 0; i < 32; ++i) two[i] = std::min(values[i % 16], 2e9F);
        simd.two_sixteens(two.data(), two_bytes.data());
        for (std::size_t i = 0; i < 32; ++i) CHECK(two_bytes[i] == wanted[i % 16]);
    });
}

TEST_CASE("vector layer: squares of pixels are quantised with a ReLU") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float values[] = {0.5F, 1.5F, 254.5F, 255.5F, 3e9F,      3e38F,         infinity, -infinity,
                            -1,   -3e9, -0.0F,  -0.4F,  70'000.0F, std::nanf(""), 128.5F,   7};
    const std::uint8_t wanted[] = {0, 2, 254, 255, 255, 255, 255, 0, 0, 0, 0, 0, 255, 0, 128, 7};
    for_each_isa([&](const SimdOperations& simd) {
        GuardedBuffer<float> from(4 * simd.width);
        GuardedBuffer<std::uint8_t> bytes(64 + 32 + simd.width);
        std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xA5});
        // Each pixel starts with another value.
        for (std::size_t i = 0; i < 4 * simd.width; ++i) from[i] = values[(i + i / simd.width * 5) % 16];
        simd.store_quantized_square(from.data(), bytes.data());
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const std::size_t pixel = i / 32;
            const std::size_t lane = i % 32;
            const std::size_t value = (pixel * simd.width + lane + pixel * 5) % 16;
            CHECK(bytes[i] == (lane < simd.width ? wanted[value] : std::uint8_t{0xA5}));
        }
    });
}

TEST_CASE("vector layer: sixteen sums to floats and bytes") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        GuardedBuffer<std::int32_t> a(16), b(16);
        GuardedBuffer<float> multiplier(16), bias(16), lower(8), upper(8);
        GuardedBuffer<std::uint8_t> bytes(16);
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            for (std::size_t i = 0; i < 16; ++i) {
                a[i] = random.integer(-2'000'000'000, 2'000'000'000);
                b[i] = random.integer(-100'000, 100'000);
            }
            random.fill(multiplier, 1e-4F, 1e-3F);
            random.fill(bias, -10, 10);
            if (repetition == 0) bias[3] = std::numeric_limits<float>::quiet_NaN();
            simd.sixteen(a.data(), b.data(), multiplier.data(), bias.data(), lower.data(), upper.data(),
                         bytes.data());
            for (std::size_t i = 0; i < 16; ++i) {
                const float product = static_cast<float>(std::max(a[i], b[i])) * multiplier[i];
                const float y = product + bias[i] > 0 ? product + bias[i] : 0.0F;
                CHECK(same(i < 8 ? lower[i] : upper[i - 8], y));
                CHECK(static_cast<float>(bytes[i]) == std::min(std::nearbyint(y), 255.0F));
            }
        }
    });
}

TEST_CASE("vector layer: doubles") {
    using enum SimdOperations::Doubles;
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        const std::size_t width = simd.doubles_width;
        GuardedBuffer<float> a(width), b(width), c(width), result(width);
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            random.fill(a, -1, 1);
            random.fill(b, -1, 1);
            random.fill(c, -1, 1);
            const auto check = [&](SimdOperations::Doubles operation, const auto& wanted) {
                CAPTURE(static_cast<int>(operation));
                simd.doubles(operation, a.data(), b.data(), c.data(), result.data());
                for (std::size_t i = 0; i < width; ++i) {
                    CHECK(result[i] == static_cast<float>(wanted(double{a[i]}, double{b[i]}, double{c[i]})));
                }
            };
            check(add, [](double x, double y, double) { return x + y; });
            check(subtract, [](double x, double y, double) { return x - y; });
            check(maximum, [](double x, double y, double) { return std::max(x, y); });
            check(multiply_add, [](double x, double y, double z) { return std::fma(x, y, z); });
            random.fill(a, -700, 0);
            check(nearest_product, [](double x, double y, double) { return std::nearbyint(x * y); });
            for (float& power : b) power = static_cast<float>(random.integer(-100, 0));
            random.fill(a, 0.7F, 1.5F);
            check(scale_by_power_of_two,
                  [](double x, double n, double) { return std::ldexp(x, static_cast<int>(n)); });
        }
        for (std::size_t count = 0; count <= width; ++count) {
            GuardedBuffer<float> from(count), to(count);
            random.fill(from, 1, 2);
            simd.load_store_first_doubles(from.data(), count, to.data());
            CHECK(std::equal(from.begin(), from.end(), to.begin()));
            std::vector<double> lanes(width);
            std::copy_n(a.begin(), count, lanes.begin());
            for (std::size_t half = width / 2; half > 0; half /= 2) {
                for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
            }
            CHECK(simd.total_double_of_first(a.data(), count) == lanes[0]);
        }
    });
}

TEST_CASE("vector layer: pixels as 16-bit words") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        GuardedBuffer<std::uint8_t> a(simd.pixels), b(simd.pixels), bytes(simd.pixels);
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            for (auto* pixels : {&a, &b}) {
                const bool corners = random.integer(0, 3) == 0;
                for (auto& pixel : *pixels) {
                    pixel = static_cast<std::uint8_t>(corners ? 255 * random.integer(0, 1)
                                                              : random.integer(0, 255));
                }
            }
            const auto offset = static_cast<std::int16_t>(random.integer(-16000, 16000));
            const auto factor = static_cast<std::int16_t>(random.integer(1, 32767));
            for (std::size_t weights = 0; weights < std::size(SimdOperations::pixel_weights); ++weights) {
                CAPTURE(weights);
                const auto& weight = SimdOperations::pixel_weights[weights];
                for (const bool subtract : {false, true}) {
                    for (const int zero_point : {0, 128}) {
                        simd.pixel_words({weights, offset, subtract, factor, zero_point}, a.data(), b.data(),
                                         bytes.data());
                        for (std::size_t i = 0; i < simd.pixels; ++i) {
                            const auto sum = static_cast<std::int16_t>(weight[0] * a[i] + weight[1] * b[i] +
                                                                       (subtract ? -offset : offset));
                            const int product = (sum * factor + (1 << 14)) >> 15;
                            if (zero_point == 0 && product < 0) continue;  // not defined
                            CHECK(int{bytes[i]} == std::clamp(product + zero_point, 0, 255));
                        }
                    }
                }
            }
        }
    });
}

TEST_CASE("vector layer: dot products of bytes are exact, at the corners too") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        const std::size_t bytes = 4 * simd.width;
        GuardedBuffer<std::uint8_t> inputs(bytes);
        GuardedBuffer<std::int8_t> weights(4 * bytes);
        GuardedBuffer<std::int32_t> sums(bytes), start(simd.width);
        const std::int8_t* rows[4];
        for (std::size_t r = 0; r < 4; ++r) rows[r] = weights.data() + r * bytes;
        for (int repetition = 0; repetition < repetitions; ++repetition) {
            const bool corners = repetition % 2 == 0;
            for (auto& input : inputs) {
                input =
                    static_cast<std::uint8_t>(corners ? 255 * random.integer(0, 1) : random.integer(0, 255));
            }
            for (auto& weight : weights) {
                weight = static_cast<std::int8_t>(corners ? 255 * random.integer(0, 1) - 128
                                                          : random.integer(-128, 127));
            }
            for (auto& value : start) value = random.integer(-1'000'000, 1'000'000);
            std::copy(start.begin(), start.end(), sums.begin());
            simd.dot4_of_quad(inputs.data(), weights.data(), sums.data());
            for (std::size_t i = 0; i < simd.width; ++i) {
                std::int32_t wanted = start[i];
                for (std::size_t k = 0; k < 4; ++k) wanted += inputs[k] * weights[4 * i + k];
                CHECK(sums[i] == wanted);
            }
            std::copy(start.begin(), start.end(), sums.begin());
            simd.dot4_of_quads(inputs.data(), weights.data(), sums.data());
            for (std::size_t i = 0; i < simd.width; ++i) {
                std::int32_t wanted = start[i];
                for (std::size_t k = 0; k < 4; ++k) wanted += inputs[4 * i + k] * weights[4 * i + k];
                CHECK(sums[i] == wanted);
            }
            simd.dot4_interleaved(inputs.data(), rows, sums.data());
            for (std::size_t i = 0; i < bytes; ++i) {
                std::int32_t wanted = 0;
                for (std::size_t r = 0; r < 4; ++r) wanted += inputs[r] * rows[r][i];
                CHECK(sums[simd.interleaved_place(i)] == wanted);
            }
        }
    });
}

TEST_CASE("vector layer: 32-bit sums") {
    for_each_isa([](const SimdOperations& simd) {
        Random random;
        INFO(random.replay());
        GuardedBuffer<std::int32_t> a(simd.width), first(simd.width);
        GuardedBuffer<float> result(simd.width);
        for (auto& value : a) value = random.integer(-2'000'000'000, 2'000'000'000);
        simd.converted(a.data(), result.data());
        for (std::size_t i = 0; i < simd.width; ++i) CHECK(result[i] == static_cast<float>(a[i]));
        constexpr std::int32_t mask = 0xF0;
        constexpr std::int32_t exponent = (127 + 23 - 4) << 23;
        simd.bits_in_mantissa(a.data(), 12, mask, exponent, result.data());
        for (std::size_t i = 0; i < simd.width; ++i) {
            const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(a[i]) >> 12U);
            CHECK(result[i] == std::bit_cast<float>((shifted & mask) | exponent));
        }
        for (std::size_t count = 0; count <= simd.width; ++count) {
            GuardedBuffer<std::int32_t> from(count);
            std::copy_n(a.begin(), count, from.begin());
            simd.load_first_sum(from.data(), count, first.data());
            for (std::size_t i = 0; i < simd.width; ++i) CHECK(first[i] == (i < count ? a[i] : 0));
        }
        for (auto& value : a) value /= static_cast<std::int32_t>(simd.width);
        std::int32_t sum = 0;
        for (const std::int32_t value : a) sum += value;
        CHECK(simd.total_sum(a.data()) == sum);
    });
}

TEST_CASE("vector layer: half-precision scales, each for four lanes") {
    const FlushSubnormals scope;  // as in sessions; halves may be subnormal, their floats are not
    for_each_isa([](const SimdOperations& simd) {
        const std::uint16_t all[] = {0x3C00, 0x0001, 0x7BFF, 0x0400};  // 1, the smallest, the largest, 2^-14
        for (std::size_t count = 0; count <= simd.width / 4; ++count) {
            GuardedBuffer<std::uint16_t> halves(count);
            std::copy_n(all, count, halves.begin());
            GuardedBuffer<float> result(simd.width);
            simd.half_scales(halves.data(), count, result.data());
            for (std::size_t i = 0; i < simd.width; ++i) {
                CHECK(result[i] == (i / 4 < count ? float16_value(halves[i / 4]) : 0.0F));
            }
        }
    });
}

}  // namespace vgg19::kernels
