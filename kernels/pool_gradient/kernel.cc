#include <cstddef>
#include <cstdint>

#include "kernels/average_pool/window.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/pool_2x2_windows.h"
#include "kernels/pool_gradient/pool_gradient.h"
#include "kernels/relu/bits.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t lanes = Vector::width;
using Register = Vector::Register;

void max_pool_and_choices(const RecordingMaxPool& problem, std::size_t begin, std::size_t end) {
    const Pool2x2& pool = problem.pool;
    std::uint8_t* right_choices = problem.choices + pool.output_rows() * (pool.width / 2) * pool.block / 8;
    for_each_pooled<lanes>(
        pool, begin,
        end, [&](const float* upper, const float* lower, std::size_t index) __attribute__((always_inline)) {
            const Register a = Vector::load(upper);
            const Register b = Vector::load(upper + pool.block);
            const Register c = Vector::load(lower);
            const Register d = Vector::load(lower + pool.block);
            const Register above = Vector::maximum(a, b);
            const Register below = Vector::maximum(c, d);
            const std::uint32_t is_lower = Vector::greater_lanes(below, above);
            const std::uint32_t is_right =
                (is_lower & Vector::greater_lanes(d, c)) | (~is_lower & Vector::greater_lanes(b, a));
            Vector::store(pool.output + index, Vector::maximum(above, below));
            store_lane_bits<lanes>(problem.choices, index, is_lower);
            store_lane_bits<lanes>(right_choices, index, is_right);
        });
}

/// Stores a gradient at `index` where its lane is `chosen`, and where the ReLU before it passes it.
inline __attribute__((always_inline)) void store_gradient(const PoolGradient& problem, std::size_t index,
                                                          Register value, std::uint32_t chosen) {
    if (problem.positive != nullptr) chosen &= load_lane_bits<lanes>(problem.positive, index);
    Vector::store(problem.gradient + index, Vector::select_lanes(chosen, value));
}

void clear(float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; i += lanes) Vector::store(values + i, Vector::zero());
}

/// Calls window(index of the pooled value, index of the window's first value) for a register's width of
/// channels at a time; clears what belongs to no window.
template <class Window>
inline __attribute__((always_inline)) void for_each_window(const PoolGradient& problem, std::size_t begin,
                                                           std::size_t end, const Window& window) {
    const std::size_t block = problem.block;
    const std::size_t row_size = problem.width * block;
    const std::size_t rows_of_plane = (problem.height + 1) / 2;
    const std::size_t pooled_row_size = problem.width / 2 * block;
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t plane = row / rows_of_plane;
        const std::size_t y = row % rows_of_plane;
        const std::size_t first = (plane * problem.height + 2 * y) * row_size;
        if (2 * y + 1 == problem.height) {
            clear(problem.gradient + first, row_size);
            continue;
        }
        const std::size_t pooled = (plane * (problem.height / 2) + y) * pooled_row_size;
        for (std::size_t i = 0; i < pooled_row_size; i += lanes) {
            window(pooled + i, first + 2 * i - i % block);
        }
        if (problem.width % 2 == 0) continue;
        clear(problem.gradient + first + row_size - block, block);
        clear(problem.gradient + first + 2 * row_size - block, block);
    }
}

void of_max_pool(const PoolGradient& problem, std::size_t begin, std::size_t end) {
    const std::size_t pooled_size =
        problem.planes * (problem.height / 2) * (problem.width / 2) * problem.block;
    const std::uint8_t* right_choices = problem.choices + pooled_size / 8;
    const std::size_t row_size = problem.width * problem.block;
    for_each_window(
        problem, begin, end, [&](std::size_t pooled, std::size_t first) __attribute__((always_inline)) {
            const Register value = Vector::load(problem.pooled + pooled);
            const std::uint32_t lower = load_lane_bits<lanes>(problem.choices, pooled);
            const std::uint32_t right = load_lane_bits<lanes>(right_choices, pooled);
            store_gradient(problem, first, value, ~lower & ~right);
            store_gradient(problem, first + problem.block, value, ~lower & right);
            store_gradient(problem, first + row_size, value, lower & ~right);
            store_gradient(problem, first + row_size + problem.block, value, lower & right);
        });
}

void of_average_pool(const PoolGradient& problem, std::size_t begin, std::size_t end) {
    const std::size_t row_size = problem.width * problem.block;
    const Register quarter = Vector::broadcast(0.25F);
    for_each_window(
        problem, begin, end, [&](std::size_t pooled, std::size_t first) __attribute__((always_inline)) {
            const Register value = Vector::multiply(Vector::load(problem.pooled + pooled), quarter);
            constexpr std::uint32_t all = ~std::uint32_t{0};
            store_gradient(problem, first, value, all);
            store_gradient(problem, first + problem.block, value, all);
            store_gradient(problem, first + row_size, value, all);
            store_gradient(problem, first + row_size + problem.block, value, all);
        });
}

/// Adds each window's share to `map`, the first of `channels` channels of a block; `pooled` are the first
/// one's.
void add_shares(const AdaptivePoolGradient& problem, const float* pooled, std::size_t channels, float* map) {
    const std::size_t pooled_size = problem.pooled_height * problem.pooled_width;
    for (std::size_t i = 0; i < problem.pooled_height; ++i) {
        const PoolWindow rows = pool_window(i, problem.height, problem.pooled_height);
        for (std::size_t j = 0; j < problem.pooled_width; ++j) {
            const PoolWindow columns = pool_window(j, problem.width, problem.pooled_width);
            float values[lanes] = {};
            for (std::size_t channel = 0; channel < channels; ++channel) {
                values[channel] = pooled[channel * pooled_size + i * problem.pooled_width + j];
            }
            const auto count = static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
            const Register share = Vector::divide(Vector::load(values), Vector::broadcast(count));
            for (std::size_t row = rows.begin; row < rows.end; ++row) {
                for (std::size_t column = columns.begin; column < columns.end; ++column) {
                    float* pixel = map + (row * problem.width + column) * problem.block;
                    Vector::store(pixel, Vector::add(Vector::load(pixel), share));
                }
            }
        }
    }
}

void of_adaptive_pool(const AdaptivePoolGradient& problem, std::size_t begin, std::size_t end) {
    const std::size_t blocks = blocks_of(problem.channels, problem.block);
    const std::size_t map_size = problem.height * problem.width * problem.block;
    const std::size_t pooled_size = problem.pooled_height * problem.pooled_width;
    for (std::size_t index = begin; index < end; ++index) {
        float* map = problem.gradient + index * map_size;
        clear(map, map_size);
        for (std::size_t lane = 0; lane < problem.block; lane += lanes) {
            const std::size_t channel = index % blocks * problem.block + lane;
            if (channel >= problem.channels) break;
            const std::size_t left = problem.channels - channel;
            const std::size_t first = index / blocks * problem.channels + channel;
            add_shares(problem, problem.pooled + first * pooled_size, left < lanes ? left : lanes,
                       map + lane);
        }
        if (problem.positive == nullptr) continue;
        for (std::size_t i = 0; i < map_size; i += lanes) {
            const std::uint32_t passes = load_lane_bits<lanes>(problem.positive, index * map_size + i);
            Vector::store(map + i, Vector::select_lanes(passes, Vector::load(map + i)));
        }
    }
}

}  // namespace

const PoolGradientKernels pool_gradient = {.max_pool = max_pool_and_choices,
                                           .of_max_pool = of_max_pool,
                                           .of_average_pool = of_average_pool,
                                           .of_adaptive_pool = of_adaptive_pool};

}  // namespace vgg19::kernels::VGG19_ISA
