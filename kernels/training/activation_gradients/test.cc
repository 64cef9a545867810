#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/training/activation_gradients/activation_gradients.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

/// Uses few different values, so that windows contain equal ones; half of them are zero, as after a ReLU.
void fill_activation(GuardedBuffer<float>& values, testing::Random& random) {
    for (float& value : values) value = static_cast<float>(std::max(0, random.integer(-3, 3)));
}

/// Computes one pixel's gradient by searching its window in order.
float expected_pool_gradient(const MaxPoolGradient& problem, std::size_t plane, std::size_t y, std::size_t x,
                             std::size_t channel) {
    const std::size_t pooled_height = problem.height / 2;
    const std::size_t pooled_width = problem.width / 2;
    if (y / 2 >= pooled_height || x / 2 >= pooled_width) return 0;
    std::size_t first_y = 0;
    std::size_t first_x = 0;
    float largest = -1;
    for (std::size_t row = y / 2 * 2; row < y / 2 * 2 + 2; ++row) {
        for (std::size_t column = x / 2 * 2; column < x / 2 * 2 + 2; ++column) {
            const std::size_t pixel = (plane * problem.height + row) * problem.width + column;
            const float value = problem.activation[pixel * problem.block + channel];
            if (value <= largest) continue;
            largest = value;
            first_y = row;
            first_x = column;
        }
    }
    if (largest <= 0 || first_y != y || first_x != x) return 0;
    const std::size_t window = (plane * pooled_height + y / 2) * pooled_width + x / 2;
    return problem.pooled_gradient[window * problem.block + channel];
}

void check_max_pool(std::size_t height, std::size_t width, std::size_t block, testing::Random& random) {
    CAPTURE(height);
    CAPTURE(width);
    CAPTURE(block);
    constexpr std::size_t planes = 3;
    GuardedBuffer<float> activation(planes * height * width * block);
    GuardedBuffer<float> pooled_gradient(planes * (height / 2) * (width / 2) * block);
    GuardedBuffer<float> gradient(activation.size());
    fill_activation(activation, random);
    random.fill(pooled_gradient, -1, 1);
    std::fill(gradient.begin(), gradient.end(), 99.0F);
    const MaxPoolGradient problem{.planes = planes,
                                  .height = height,
                                  .width = width,
                                  .block = block,
                                  .activation = activation.data(),
                                  .pooled_gradient = pooled_gradient.data(),
                                  .gradient = gradient.data()};
    max_pool_relu_gradient(problem, 1, planes);
    max_pool_relu_gradient(problem, 0, 1);
    const float* found = gradient.data();
    std::size_t wrong = 0;
    for (std::size_t plane = 0; plane < planes; ++plane) {
        for (std::size_t y = 0; y < height; ++y) {
            for (std::size_t x = 0; x < width; ++x) {
                for (std::size_t channel = 0; channel < block; ++channel) {
                    if (*found++ != expected_pool_gradient(problem, plane, y, x, channel)) ++wrong;
                }
            }
        }
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("ReLU's gradient passes where the output is positive") {
    testing::Random random;
    INFO(random.replay());
    GuardedBuffer<float> activation(37);
    GuardedBuffer<float> gradient(37);
    fill_activation(activation, random);
    random.fill(gradient, -1, 1);
    const std::vector<float> before(gradient.begin(), gradient.end());
    relu_gradient(activation.data(), gradient.data(), gradient.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        CHECK(gradient[i] == (activation[i] > 0 ? before[i] : 0.0F));
    }
}

TEST_CASE("a max-pool's gradient goes to the first largest of each window, and through the ReLU before it") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 4}, {2, 2}, {3, 2}, {5, 7}, {8, 6}};
    for (const std::size_t block : {8U, 16U}) {
        for (const auto& [height, width] : sizes) check_max_pool(height, width, block, random);
    }
}

}  // namespace vgg19::kernels
