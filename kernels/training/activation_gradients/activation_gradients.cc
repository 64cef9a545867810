#include "kernels/training/activation_gradients/activation_gradients.h"

#include <algorithm>

namespace vgg19::kernels {

namespace {

/// Handles one window for a block of channels. Without branches, so that the compiler can vectorise.
template <std::size_t block>
void window_gradient(const float* activation, std::size_t row_size, const float* pooled_gradient,
                     float* gradient) {
    for (std::size_t c = 0; c < block; ++c) {
        const float a = activation[c];
        const float b = activation[block + c];
        const float d = activation[row_size + c];
        const float e = activation[row_size + block + c];
        const float upper = a > b ? a : b;
        const float lower = d > e ? d : e;
        const float largest = upper > lower ? upper : lower;
        const float value = largest > 0 ? pooled_gradient[c] : 0.0F;
        const float after_a = a == largest ? 0.0F : value;
        const float after_b = b == largest ? 0.0F : after_a;
        const float after_d = d == largest ? 0.0F : after_b;
        gradient[c] = value - after_a;
        gradient[block + c] = after_a - after_b;
        gradient[row_size + c] = after_b - after_d;
        gradient[row_size + block + c] = after_d;
    }
}

template <std::size_t block>
void max_pool_planes(const MaxPoolGradient& problem, std::size_t begin, std::size_t end) {
    const std::size_t row_size = problem.width * block;
    const std::size_t plane_size = problem.height * row_size;
    const std::size_t pooled_height = problem.height / 2;
    const std::size_t pooled_width = problem.width / 2;
    for (std::size_t plane = begin; plane < end; ++plane) {
        const float* activation = problem.activation + plane * plane_size;
        float* gradient = problem.gradient + plane * plane_size;
        const float* pooled = problem.pooled_gradient + plane * pooled_height * pooled_width * block;
        for (std::size_t y = 0; y < pooled_height; ++y) {
            for (std::size_t x = 0; x < pooled_width; ++x, pooled += block) {
                const std::size_t corner = 2 * y * row_size + 2 * x * block;
                window_gradient<block>(activation + corner, row_size, pooled, gradient + corner);
            }
        }
        if (problem.width % 2 == 1) {
            for (std::size_t y = 0; y < problem.height; ++y) {
                std::fill_n(gradient + (y + 1) * row_size - block, block, 0.0F);
            }
        }
        if (problem.height % 2 == 1) std::fill_n(gradient + plane_size - row_size, row_size, 0.0F);
    }
}

}  // namespace

void relu_gradient(const float* activation, float* gradient, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) gradient[i] = activation[i] > 0 ? gradient[i] : 0.0F;
}

void max_pool_relu_gradient(const MaxPoolGradient& problem, std::size_t begin, std::size_t end) {
    if (problem.block == 16) {
        max_pool_planes<16>(problem, begin, end);
    } else {
        max_pool_planes<8>(problem, begin, end);
    }
}

}  // namespace vgg19::kernels
