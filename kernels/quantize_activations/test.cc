#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/quantize_activations/quantize_activations.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

std::uint8_t quantized(float value, float inverse) {
    return static_cast<std::uint8_t>(std::clamp(std::nearbyint(value * inverse), 0.0F, 255.0F));
}

/// Checks every kernel that this CPU runs, bit for bit; returns the scale.
float check(const std::vector<float>& values) {
    GuardedBuffer<float> input(values.size());
    std::copy(values.begin(), values.end(), input.begin());
    float scale = 0;
    for (const float value : values) scale = std::max(scale, value / 255.0F);
    if (scale < std::numeric_limits<float>::min()) scale = 1;
    for (const auto& kernel : quantize_activations_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<std::uint8_t> output(values.size());
        CHECK(kernel.run(input.data(), values.size(), output.data()) == scale);
        for (std::size_t i = 0; i < values.size(); ++i) {
            CAPTURE(i);
            CAPTURE(values[i]);
            REQUIRE(int{output[i]} == int{quantized(values[i], 1.0F / scale)});
        }
    }
    return scale;
}

}  // namespace

TEST_CASE("quantised activations equal the definition at every size") {
    testing::Random random;
    INFO(random.replay());
    for (std::size_t size = 0; size < 140; ++size) {
        CAPTURE(size);
        std::vector<float> values(size);
        random.fill(values, -2, 5);
        check(values);
        // The maximum comes last, in the part that does not fill a register.
        if (size > 0) values.back() = 10;
        check(values);
    }
    std::vector<float> large(25088);
    random.fill(large, -1, 3);
    check(large);
}

TEST_CASE("a quantised activation is within half a step") {
    testing::Random random;
    INFO(random.replay());
    std::vector<float> values(1000);
    random.fill(values, 0, 7);
    const float scale = check(values);
    for (const auto& kernel : quantize_activations_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        std::vector<std::uint8_t> output(values.size());
        kernel.run(values.data(), values.size(), output.data());
        for (std::size_t i = 0; i < values.size(); ++i) {
            REQUIRE(std::abs(double{values[i]} - double{scale} * output[i]) <= 0.50001 * double{scale});
        }
    }
}

TEST_CASE("ties round to even and extremes are kept in range") {
    std::vector<float> values = {255, 0.5F, 1.5F, 2.5F, 254.5F, 253.5F, -0.5F, -3e38F, -0.0F};
    values.resize(70, 2.5F);
    CHECK(check(values) == 1);

    CHECK(check({3.4e38F, 1e38F, -3.4e38F, 1}) == 3.4e38F / 255.0F);
    CHECK(check(std::vector<float>(40, 0.0F)) == 1);
    CHECK(check(std::vector<float>(40, -7.0F)) == 1);
}

TEST_CASE("a range too small for a normal scale counts as zero") {
    const float smallest = std::numeric_limits<float>::min();
    CHECK(check(std::vector<float>(40, std::numeric_limits<float>::denorm_min())) == 1);
    CHECK(check({smallest * 254, 0, smallest}) == 1);
    CHECK(check({smallest * 256, 0, smallest}) > 0);
}

}  // namespace vgg19::kernels
