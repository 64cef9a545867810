#include "converter/quantize/weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

using kernels::testing::GuardedBuffer;
using kernels::testing::Random;

/// Quantises in buffers that end at guard pages.
std::pair<float, std::vector<int>> quantize(const std::vector<float>& weights, int bits = most_weight_bits) {
    GuardedBuffer<float> input(weights.size());
    GuardedBuffer<std::int8_t> output(weights.size());
    std::copy(weights.begin(), weights.end(), input.begin());
    const float scale = quantize_row({input.data(), input.size()}, {output.data(), output.size()}, bits);
    return {scale, {output.begin(), output.end()}};
}

}  // namespace

TEST_CASE("a row's largest magnitude becomes 127, and halves round to even") {
    const auto [scale, quantized] =
        quantize({127, -127, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 3.49F, -0.0F});
    CHECK(scale == 1);
    CHECK(quantized == std::vector<int>{127, -127, 0, 2, 2, 0, -2, -2, 3, 0});
}

TEST_CASE("a row of zeros has the scale 1") {
    const auto [scale, quantized] = quantize({0, -0.0F, 0});
    CHECK(scale == 1);
    CHECK(quantized == std::vector<int>{0, 0, 0});
}

TEST_CASE("a denormal scale, too coarse for its row, still gives at most 127") {
    constexpr float smallest = std::numeric_limits<float>::denorm_min();
    const auto [scale, quantized] = quantize({143 * smallest, -143 * smallest, 5 * smallest});
    CHECK(scale == smallest);
    CHECK(quantized == std::vector<int>{127, -127, 5});
}

TEST_CASE("rows of any magnitude and length are quantised as the formula says") {
    Random random;
    INFO(random.replay());
    for (const std::size_t count : {1U, 3U, 4U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 64U, 65U, 1000U}) {
        for (const float bound :
             {1e-44F, 1e-38F, 1e-6F, 0.05F, 1.0F, 1e30F, std::numeric_limits<float>::max() / 2}) {
            std::vector<float> weights(count);
            random.fill(weights, -bound, bound);
            float largest = 0;
            for (const float weight : weights) largest = std::max(largest, std::abs(weight));
            const float expected_scale = largest / 127 == 0 ? 1 : largest / 127;

            const auto [scale, quantized] = quantize(weights);
            REQUIRE(scale == expected_scale);
            for (std::size_t i = 0; i < count; ++i) {
                const float expected =
                    std::nearbyint(std::min(std::max(weights[i] / scale, -127.0F), 127.0F));
                REQUIRE(quantized[i] == static_cast<int>(expected));
            }
        }
    }
}

TEST_CASE("a non-finite row has a non-finite scale") {
    CHECK_FALSE(std::isfinite(quantize({1, std::numeric_limits<float>::infinity()}).first));
    CHECK_FALSE(std::isfinite(quantize({std::numeric_limits<float>::quiet_NaN(), 1}).first));
    CHECK_FALSE(std::isfinite(quantize({-std::numeric_limits<float>::quiet_NaN(), 1}).first));
}

TEST_CASE("few bits have few levels, and a scale of less error than that of the largest weight") {
    Random random;
    INFO(random.replay());
    std::vector<float> weights(501);
    random.fill(weights, -1, 1);
    for (float& weight : weights) weight *= weight * weight;  // few are large
    weights[7] = 1;
    const auto error = [&](float scale, int largest) {
        double sum = 0;
        for (const float weight : weights) {
            const auto level = std::clamp<double>(std::nearbyint(weight / scale), -largest, largest);
            sum += std::pow(static_cast<double>(weight) - level * static_cast<double>(scale), 2);
        }
        return sum;
    };
    for (int bits = least_weight_bits; bits < most_weight_bits; ++bits) {
        CAPTURE(bits);
        const int largest = largest_weight(bits);
        const auto [scale, quantized] = quantize(weights, bits);
        const auto [low, high] = std::minmax_element(quantized.begin(), quantized.end());
        CHECK(*low >= -largest);
        CHECK(*high <= largest);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double level = std::clamp<double>(std::nearbyint(weights[i] / scale), -largest, largest);
            CHECK(std::abs(quantized[i] - level) <= (std::abs(level) < largest ? 1.0 : 0.0));
        }
        const float plain = 1.0F / static_cast<float>(largest);
        CHECK(error(scale, largest) <= error(plain, largest) * 1.0001);
        if (bits <= 3) CHECK(error(scale, largest) < 0.9 * error(plain, largest));
    }
}

}  // namespace vgg19::converter
