#include "engine/layers/folded_pool.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/average_pool/window.h"
#include "kernels/common/parallel.h"

namespace vgg19::layers {

namespace {

/// `side`: the map's height or width.
float share(std::size_t pooled, std::size_t index, std::size_t side, std::size_t pooled_side) {
    const kernels::PoolWindow window = kernels::pool_window(pooled, side, pooled_side);
    if (index < window.begin || index >= window.end) return 0;
    return 1.0F / static_cast<float>(window.end - window.begin);
}

/// Rounds to the nearest integer, ties to even: floats near 1.5 · 2^23 have a spacing of 1. Vectorises on any
/// CPU.
std::int8_t rounded(float value) {
    constexpr float step_is_one = 12582912.0F;
    return static_cast<std::int8_t>(static_cast<std::int32_t>((value + step_is_one) - step_is_one));
}

/// The weights of one pixel of the map.
template <class Weight>
void fold_pixel(const PoolFold& fold, std::size_t row, std::size_t column, const Weight* weights,
                float* folded) {
    std::fill_n(folded, fold.outputs, 0.0F);
    for (std::size_t p = 0; p < fold.pooled_side; ++p) {
        for (std::size_t q = 0; q < fold.pooled_side; ++q) {
            const float factor = share(p, row, fold.size.height, fold.pooled_side) *
                                 share(q, column, fold.size.width, fold.pooled_side);
            if (factor == 0) continue;
            const Weight* pooled = weights + (p * fold.pooled_side + q) * fold.outputs;
            for (std::size_t o = 0; o < fold.outputs; ++o) {
                folded[o] += factor * static_cast<float>(pooled[o]);
            }
        }
    }
}

/// Calls body(part, pixel, folded) for each pixel of all channels, folded from INT8 weights in units of their
/// scales. Parts are whole channels.
template <class Body>
void for_each_folded_pixel(const PoolFold& fold, int threads, std::size_t parts, const Int8Weights& weights,
                           const Body& body) {
    kernels::parallel_for(threads, parts, [&](std::size_t part) {
        const kernels::Range channels = kernels::part_of(fold.channels, parts, part);
        std::vector<float> folded(fold.outputs);
        for (std::size_t channel = channels.begin; channel < channels.end; ++channel) {
            const auto use = weights.use_channel ? weights.use_channel(channel) : nullptr;
            const std::int8_t* pooled = weights.weights + channel * fold.pooled_channel_size();
            for (std::size_t pixel = 0; pixel < fold.size.pixels(); ++pixel) {
                fold_pixel(fold, pixel / fold.size.width, pixel % fold.size.width, pooled, folded.data());
                body(part, channel * fold.size.pixels() + pixel, folded);
            }
        }
    });
}

}  // namespace

void fold_channel(const PoolFold& fold, const float* weights, float* folded) {
    for (std::size_t pixel = 0; pixel < fold.size.pixels(); ++pixel) {
        fold_pixel(fold, pixel / fold.size.width, pixel % fold.size.width, weights,
                   folded + pixel * fold.outputs);
    }
}

void fold_average_pool(const PoolFold& fold, int threads, const Int8Weights& weights,
                       const FoldedInt8Weights& folded) {
    constexpr float largest_int8 = 127;
    const auto parts = static_cast<std::size_t>(threads);
    std::vector<std::vector<float>> largest(parts, std::vector<float>(fold.outputs));
    for_each_folded_pixel(fold, threads, parts, weights,
                          [&](std::size_t part, std::size_t /*pixel*/, const std::vector<float>& values) {
                              for (std::size_t o = 0; o < fold.outputs; ++o) {
                                  largest[part][o] = std::max(largest[part][o], std::abs(values[o]));
                              }
                          });
    std::vector<float> inverse_steps(fold.outputs);
    for (std::size_t o = 0; o < fold.outputs; ++o) {
        float most = 0;
        for (const std::vector<float>& part : largest) most = std::max(most, part[o]);
        const float step = most == 0 ? 1.0F : most / largest_int8;  // in units of the weights' scale
        inverse_steps[o] = 1.0F / step;
        folded.scale[o] = weights.scale[o] * step;
    }
    for_each_folded_pixel(fold, threads, parts, weights,
                          [&](std::size_t /*part*/, std::size_t pixel, const std::vector<float>& values) {
                              std::int8_t* row = folded.weights + pixel * fold.outputs;
                              for (std::size_t o = 0; o < fold.outputs; ++o) {
                                  row[o] = rounded(values[o] * inverse_steps[o]);
                              }
                          });
}

}  // namespace vgg19::layers
