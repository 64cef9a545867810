#include "engine/layers/folded_pool.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::layers {

namespace {

using kernels::testing::GuardedBuffer;
using kernels::testing::Random;

/// The mean of one window of PyTorch's AdaptiveAvgPool2d, written down once more.
double pooled_value(const GuardedBuffer<float>& map, std::size_t channel, const FoldedPool& fold,
                    std::size_t p, std::size_t q) {
    const auto begin = [&](std::size_t i) { return i * fold.side / fold.pooled_side; };
    const auto end = [&](std::size_t i) {
        return static_cast<std::size_t>(
            std::ceil(static_cast<double>((i + 1) * fold.side) / static_cast<double>(fold.pooled_side)));
    };
    double sum = 0;
    double count = 0;
    for (std::size_t row = begin(p); row < end(p); ++row) {
        for (std::size_t column = begin(q); column < end(q); ++column) {
            sum += map[(channel * fold.side + row) * fold.side + column];
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
    for (const std::size_t side : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 10U}) {
        CAPTURE(side);
        GuardedBuffer<float> weights(channels * pooled_side * pooled_side * outputs);
        GuardedBuffer<float> folded(channels * side * side * outputs);
        GuardedBuffer<float> map(channels * side * side);
        random.fill(weights, -1.0F, 1.0F);
        random.fill(map, 0.0F, 1.0F);
        const FoldedPool fold = {.side = side,
                                 .pooled_side = pooled_side,
                                 .outputs = outputs,
                                 .weights = weights.data(),
                                 .folded = folded.data()};
        fold_average_pool(fold, 0, 2);
        fold_average_pool(fold, 2, channels);
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

}  // namespace vgg19::layers
