#include "engine/layers/folded_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::layers {

namespace {

using kernels::testing::GuardedBuffer;
using kernels::testing::Random;

/// The mean of one window of PyTorch's AdaptiveAvgPool2d, implemented independently.
double pooled_value(const GuardedBuffer<float>& map, std::size_t channel, const PoolFold& fold, std::size_t p,
                    std::size_t q) {
    const auto begin = [&](std::size_t i, std::size_t side) { return i * side / fold.pooled_side; };
    const auto end = [&](std::size_t i, std::size_t side) {
        return static_cast<std::size_t>(
            std::ceil(static_cast<double>((i + 1) * side) / static_cast<double>(fold.pooled_side)));
    };
    const auto [height, width] = fold.size;
    double sum = 0;
    double count = 0;
    for (std::size_t row = begin(p, height); row < end(p, height); ++row) {
        for (std::size_t column = begin(q, width); column < end(q, width); ++column) {
            sum += map[(channel * height + row) * width + column];
            count += 1;
        }
    }
    return sum / count;
}

}  // namespace

TEST_CASE("a folded dense layer gives what the pool and the dense layer behind it give") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t channels = 3;
    constexpr std::size_t pooled_side = 7;
    constexpr std::size_t outputs = 5;
    for (const MapSize size :
         {MapSize(1), MapSize(2), MapSize(3), MapSize(4), MapSize(5), MapSize(6), MapSize(7), MapSize(8),
          MapSize(10), MapSize(2, 7), MapSize(6, 3), MapSize(9, 5)}) {
        CAPTURE(to_string(size));
        GuardedBuffer<float> weights(channels * pooled_side * pooled_side * outputs);
        GuardedBuffer<float> folded(channels * size.pixels() * outputs);
        GuardedBuffer<float> map(channels * size.pixels());
        random.fill(weights, -1.0F, 1.0F);
        random.fill(map, 0.0F, 1.0F);
        const PoolFold fold = {
            .channels = channels, .size = size, .pooled_side = pooled_side, .outputs = outputs};
        for (std::size_t channel = 0; channel < channels; ++channel) {
            fold_channel(fold, weights.data() + channel * fold.pooled_channel_size(),
                         folded.data() + channel * fold.channel_size());
        }
        for (std::size_t o = 0; o < outputs; ++o) {
            double expected = 0;
            for (std::size_t i = 0; i < channels * pooled_side * pooled_side; ++i) {
                const std::size_t pixel = i % (pooled_side * pooled_side);
                expected += pooled_value(map, i / (pooled_side * pooled_side), fold, pixel / pooled_side,
                                         pixel % pooled_side) *
                            double{weights[i * outputs + o]};
            }
            double found = 0;
            for (std::size_t i = 0; i < map.size(); ++i) {
                found += double{map[i]} * double{folded[i * outputs + o]};
            }
            CHECK(found == doctest::Approx(expected).epsilon(1e-5));
        }
    }
}

TEST_CASE("INT8 weights are folded to the nearest step of each output, whatever the number of threads") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t outputs = 9;
    for (const MapSize size :
         {MapSize(1), MapSize(3), MapSize(5), MapSize(6), MapSize(5, 7), MapSize(4, 2)}) {
        CAPTURE(to_string(size));
        const PoolFold fold = {.channels = 4, .size = size, .pooled_side = 7, .outputs = outputs};
        GuardedBuffer<std::int8_t> weights(fold.channels * fold.pooled_channel_size());
        std::vector<float> scale(outputs);
        random.fill(scale, 0.01F, 0.1F);
        for (auto& weight : weights) weight = static_cast<std::int8_t>(random.integer(-127, 127));
        for (std::size_t i = 0; i < weights.size(); i += outputs)
            weights[i] = 0;  // an output without weights

        GuardedBuffer<std::int8_t> folded(fold.folded_size());
        std::vector<float> folded_scale(outputs);
        fold_average_pool(fold, 1, {weights.data(), scale.data()}, {folded.data(), folded_scale.data()});
        std::vector<float> plain(fold.pooled_channel_size());
        std::vector<float> expected(fold.channel_size());
        std::vector<int> largest(outputs);
        for (std::size_t channel = 0; channel < fold.channels; ++channel) {
            for (std::size_t i = 0; i < plain.size(); ++i) {
                plain[i] = scale[i % outputs] *
                           static_cast<float>(weights[channel * fold.pooled_channel_size() + i]);
            }
            fold_channel(fold, plain.data(), expected.data());
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const int found = folded[channel * fold.channel_size() + i];
                const float step = folded_scale[i % outputs];
                CHECK(std::abs(static_cast<float>(found) * step - expected[i]) <= 0.5001F * step);
                largest[i % outputs] = std::max(largest[i % outputs], std::abs(found));
            }
        }
        CHECK(largest[0] == 0);
        for (std::size_t o = 1; o < outputs; ++o) CHECK(largest[o] == 127);

        for (const int threads : {2, 3, 8}) {
            std::vector<std::int8_t> again(folded.size());
            std::vector<float> again_scale(outputs);
            fold_average_pool(fold, threads, {weights.data(), scale.data()},
                              {again.data(), again_scale.data()});
            CHECK(std::equal(again.begin(), again.end(), folded.begin()));
            CHECK(again_scale == folded_scale);
        }
    }
}

}  // namespace vgg19::layers
