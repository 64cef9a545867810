#include "converter/refit/hidden_samples.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t channels = 12;
constexpr std::size_t outputs = 5;

/// Channels 0 to 3 are random; each of the others is a multiple of one of them plus a constant.
HiddenSamples dependent_samples(kernels::testing::Random& random, std::size_t count) {
    HiddenSamples samples = {channels, std::vector<std::size_t>(count), std::vector<float>(count * channels)};
    std::iota(samples.items.begin(), samples.items.end(), std::size_t{0});
    random.fill(samples.values, 0.0F, 1.0F);
    for (std::size_t i = 0; i < samples.values.size(); ++i) {
        const std::size_t channel = i % channels;
        if (channel >= 4) {
            samples.values[i] =
                static_cast<float>(channel) * samples.values[i - channel + channel % 4] + 0.5F;
        }
    }
    return samples;
}

/// The classes of channels that stand for each other.
std::vector<std::size_t> sorted_classes(std::vector<std::size_t> last) {
    for (std::size_t& channel : last) channel %= 4;
    std::sort(last.begin(), last.end());
    return last;
}

}  // namespace

TEST_CASE(
    "channels that others can replace are removed first, whatever the number of threads and the order") {
    kernels::testing::Random random;
    INFO(random.replay());
    const HiddenSamples samples = dependent_samples(random, 40);
    std::vector<float> weights(outputs * channels);
    random.fill(weights, 0.5F, 1.0F);
    std::vector<float> transposed(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        transposed[i % channels * outputs + i / channels] = weights[i];
    }
    const auto order = selection_order(samples, {weights, outputs, false}, 1);
    CHECK(selection_order(samples, {transposed, outputs, true}, 3) == order);
    CHECK(sorted_classes({order.end() - 4, order.end()}) == std::vector<std::size_t>{0, 1, 2, 3});
    auto all = order;
    std::sort(all.begin(), all.end());
    for (std::size_t channel = 0; channel < channels; ++channel) CHECK(all[channel] == channel);
}

TEST_CASE("a channel that the next layer does not read is removed first, and the strongest last") {
    kernels::testing::Random random;
    INFO(random.replay());
    HiddenSamples samples = dependent_samples(random, 64);
    random.fill(samples.values, 0.0F, 1.0F);
    std::vector<float> weights(channels);  // of one output
    for (std::size_t channel = 0; channel < channels; ++channel) {
        weights[channel] = static_cast<float>((channel * 5) % channels);  // 0 for channel 0, 11 for channel 7
    }
    const auto order = selection_order(samples, {weights, 1, false}, 2);
    CHECK(order.front() == 0);
    CHECK(order.back() == 7);
}

TEST_CASE("with many outputs, mixtures of them stand for all") {
    constexpr std::size_t many = 300;
    kernels::testing::Random random;
    INFO(random.replay());
    const HiddenSamples samples = dependent_samples(random, 40);
    std::vector<float> weights(many * channels);
    random.fill(weights, -1.0F, 1.0F);
    const auto order = selection_order(samples, {weights, many, false}, 2);
    CHECK(sorted_classes({order.end() - 4, order.end()}) == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("removed channels are reconstructed with their constants, from other images than those left out") {
    kernels::testing::Random random;
    INFO(random.replay());
    HiddenSamples samples = dependent_samples(random, 64);
    for (std::size_t i = 0; i < 8 * channels; ++i) samples.values[i] = 1000;  // of the images left out
    const std::vector<std::size_t> kept = {0, 1, 2, 3};
    const std::vector<std::size_t> left_out = {0, 1, 2, 3, 4, 5, 6, 7};
    const layers::Execution execution = {.isa = kernels::Isa::portable, .threads = 2};
    const ChannelMap map = reconstruct_hidden(samples, kept, left_out, execution);
    for (std::size_t channel = 4; channel < channels; ++channel) {
        CAPTURE(channel);
        for (std::size_t i = 0; i < kept.size(); ++i) {
            const double expected = i == channel % 4 ? static_cast<double>(channel) : 0;
            CHECK(map.weights[channel * 4 + i] == doctest::Approx(expected).epsilon(0.01).scale(10));
        }
        CHECK(map.constants[channel] == doctest::Approx(0.5).epsilon(0.1));
    }
    CHECK(map.weights[2 * 4 + 2] == 1);
    CHECK(map.constants[2] == 0);
}

}  // namespace vgg19::converter
