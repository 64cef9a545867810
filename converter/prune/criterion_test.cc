#include "converter/prune/criterion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "converter/refit/least_loss.h"
#include "converter/refit/moments.h"
#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

struct Fixture {
    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("4 5 M 5 M 6 M 7 M 4 M", "17 16 10"), random};

    model::ModelFile open() const { return weights.write(folder / "model"); }

    /// Sets one weight of each filter, all others to zero.
    void set_filter_weights(const std::string& layer, std::size_t per_filter,
                            const std::vector<std::vector<float>>& filters) {
        auto& values = weights.values(layer + ".weight");
        std::fill(values.begin(), values.end(), 0.0F);
        for (std::size_t filter = 0; filter < filters.size(); ++filter) {
            std::copy(filters[filter].begin(), filters[filter].end(),
                      values.begin() + static_cast<std::ptrdiff_t>(filter * per_filter));
        }
    }
};

/// Moments of channels with these values, one row per sample.
LeastSquares moments_of(const std::vector<std::vector<float>>& samples) {
    LeastSquares moments(samples.front().size() + 1, 0, kernels::best_isa(), 1);
    for (std::vector<float> row : samples) {
        row.push_back(1);
        moments.add(row, {});
    }
    return moments;
}

using Order = std::vector<std::size_t>;

}  // namespace

TEST_CASE("criterion norm: one large and several small weights differ for L1 and L2") {
    Fixture fixture;
    fixture.set_filter_weights("features.0", 27, {{3}, {2, 2}, {1, 1, 1, 1}, {3}});
    const auto model = fixture.open();
    CHECK(removal_order(model, 0, Criterion::l2, 1, {}) == Order{2, 1, 3, 0});
    CHECK(removal_order(model, 0, Criterion::l1, 1, {}) == Order{3, 0, 2, 1});
}

TEST_CASE("criterion random: the same seed gives the same order, another seed another one") {
    Fixture fixture;
    const auto model = fixture.open();
    const auto order = [&](std::uint64_t seed) {
        std::vector<Order> orders;
        for (std::size_t i = 0; i < 6; ++i) {
            orders.push_back(removal_order(model, i, Criterion::random, seed, {}));
            Order sorted = orders.back();
            std::sort(sorted.begin(), sorted.end());
            for (std::size_t c = 0; c < sorted.size(); ++c) CHECK(sorted[c] == c);
        }
        return orders;
    };
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
}

TEST_CASE("criterion activation: constants are removed first, then redundant channels; the strongest stay") {
    Fixture fixture;
    // Channel 1 never changes, channel 3 is the sum of 0 and 2, which differ; 4 is small.
    const LeastSquares moments = moments_of({{1, 5, 0, 1, 0.1F},
                                             {0, 5, 2, 2, 0},
                                             {3, 5, 1, 4, 0},
                                             {0, 5, 0, 0, 0.1F},
                                             {2, 5, 3, 5, 0.2F},
                                             {1, 5, 1, 2, 0.3F}});
    const Order order = least_loss_order(
        moments, {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1});
    CHECK(order.size() == 5);
    CHECK(std::find(order.begin(), order.begin() + 2, 1U) != order.begin() + 2);
    CHECK(std::find(order.begin(), order.begin() + 3, 4U) != order.begin() + 3);
    // One of 0, 2 and 3 is among the first three, because the other two can replace it.
    const ChannelMap map = reconstruct_channels(moments, Order{0, 2});
    CHECK(map.weights[3 * 2 + 0] == doctest::Approx(1).epsilon(0.01));
    CHECK(map.weights[3 * 2 + 1] == doctest::Approx(1).epsilon(0.01));
    CHECK(map.constants[1] == doctest::Approx(5).epsilon(0.01));
    CHECK(map.weights[0] == 1);
    CHECK(map.weights[1] == 0);
}

TEST_CASE("criterion activation: a channel that the next layer does not read is removed first") {
    for (const bool input_major : {false, true}) {
        CAPTURE(input_major);
        Fixture fixture;
        INFO(fixture.random.replay());
        auto& next = fixture.weights.values("features.5.weight");  // (5, 5, 3, 3)
        for (std::size_t i = 0; i < next.size(); ++i) {
            if (i / 9 % 5 == 3) next[i] = 0;
        }
        auto& dense = fixture.weights.values("classifier.0.weight");  // (17, 4 · 49)
        for (std::size_t i = 0; i < dense.size(); ++i) {
            if (i / 49 % 4 == 2) dense[i] = 0;
        }
        const auto model =
            input_major ? fixture.weights.write_input_major(fixture.folder / "model") : fixture.open();
        std::vector<std::vector<float>> five(50, std::vector<float>(5));
        std::vector<std::vector<float>> four(50, std::vector<float>(4));
        for (auto& sample : five) fixture.random.fill(sample, 0.0F, 1.0F);
        for (auto& sample : four) fixture.random.fill(sample, 0.0F, 1.0F);
        const auto of_moments = [&model](const LeastSquares& moments) -> ActivationOrder {
            return [&](std::size_t convolution) { return activation_order(model, convolution, moments); };
        };
        const LeastSquares five_moments = moments_of(five);
        const LeastSquares four_moments = moments_of(four);
        CHECK(removal_order(model, 1, Criterion::activation, 1, of_moments(five_moments)).front() == 3);
        CHECK(removal_order(model, 5, Criterion::activation, 1, of_moments(four_moments)).front() == 2);
        CHECK(error_of(ErrorKind::usage, [&] { removal_order(model, 1, Criterion::activation, 1, {}); }) ==
              Containing("expected calibration images"));
    }
}

}  // namespace vgg19::converter
