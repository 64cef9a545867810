#include "converter/quantize/histogram.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;

Histogram histogram_of(const std::vector<float>& values) {
    Histogram histogram;
    for (const float value : values) histogram.add(value);
    return histogram;
}

bool same(const Histogram& a, const Histogram& b) {
    return a.counts() == b.counts() && a.largest() == b.largest() && a.bin_width() == b.bin_width();
}

/// The mean squared error of rounding and clipping all values.
double measured_error(const std::vector<float>& values, float limit, int levels) {
    const float step = limit / static_cast<float>(levels);
    double sum = 0;
    for (const float value : values) {
        const float steps = std::min(std::nearbyint(value / step), static_cast<float>(levels));
        const auto error = static_cast<double>(value - steps * step);
        sum += error * error;
    }
    return sum / static_cast<double>(values.size());
}

/// Many small and few large values, as in real activations.
std::vector<float> long_tail(Random& random, std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
        const float u = random.uniform(0, 1);
        value = u < 0.5F ? 0 : -std::log(random.uniform(1e-6F, 1.0F)) * 3;
    }
    return values;
}

}  // namespace

TEST_CASE("a histogram is the same in any order and however its values are split") {
    Random random;
    INFO(random.replay());
    std::vector<float> values = long_tail(random, 3000);
    values.insert(values.end(), {1e-30F, 1e-5F, 1e5F, 0});
    const Histogram all = histogram_of(values);
    CHECK(all.count() == values.size());
    CHECK(all.largest() == 1e5F);

    const std::vector<float> reversed(values.rbegin(), values.rend());
    CHECK(same(histogram_of(reversed), all));

    const std::vector<float> low(values.begin(), values.begin() + 1000);
    const std::vector<float> high(values.begin() + 1000, values.end());
    Histogram low_first = histogram_of(low);
    low_first.merge(histogram_of(high));
    CHECK(same(low_first, all));
    Histogram high_first = histogram_of(high);
    high_first.merge(histogram_of(low));
    CHECK(same(high_first, all));
}

TEST_CASE("a histogram holds magnitudes from 0 to the largest float") {
    constexpr float most = std::numeric_limits<float>::max();
    const Histogram histogram = histogram_of({0, std::numeric_limits<float>::denorm_min(), 1, most});
    CHECK(histogram.count() == 4);
    CHECK(histogram.counts().back() == 1);
    CHECK(choose_limit(histogram, RangeMethod::max, 255) == most);
    CHECK(choose_limit(histogram_of({1.0F, 2.0F}), RangeMethod::max, 255) == 2);
}

TEST_CASE("only zeros have the limit 0, with every method") {
    for (const RangeMethod method : {RangeMethod::max, RangeMethod::percentile, RangeMethod::mse}) {
        CHECK(choose_limit(histogram_of({0, 0, 0}), method, 255) == 0);
        CHECK(choose_limit(Histogram(), method, 255) == 0);
    }
    CHECK(clipped_share(Histogram(), 0) == 0);
}

TEST_CASE("the percentile clips one value in ten thousand") {
    std::vector<float> values(40002, 4);
    for (std::size_t i = 0; i < 40000; ++i) values[i] = static_cast<float>(i) / 40000;
    const Histogram histogram = histogram_of(values);
    const float limit = choose_limit(histogram, RangeMethod::percentile, 255);
    CHECK(limit == 1);
    CHECK(clipped_share(histogram, limit) == doctest::Approx(2.0 / 40002));
    CHECK(clipped_share(histogram, histogram.largest()) == 0);
}

TEST_CASE("the limit of least squared error is a minimum: no neighbour is clearly better") {
    Random random;
    INFO(random.replay());
    const std::vector<float> values = long_tail(random, 100000);
    const Histogram histogram = histogram_of(values);
    for (const int levels : {15, 127, 255}) {
        CAPTURE(levels);
        const float limit = choose_limit(histogram, RangeMethod::mse, levels);
        const double error = measured_error(values, limit, levels);
        CHECK(error <= measured_error(values, histogram.largest(), levels) * 1.001);
        for (float other = histogram.largest() / 10; other < histogram.largest();
             other += histogram.largest() / 20) {
            CAPTURE(other);
            CHECK(error <= measured_error(values, other, levels) * 1.02);
        }
    }
    CHECK(choose_limit(histogram, RangeMethod::mse, 15) < histogram.largest() * 0.9F);
}

TEST_CASE("values without outliers are not clipped by the limit of least squared error") {
    std::vector<float> values(10001);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 10000;
    CHECK(choose_limit(histogram_of(values), RangeMethod::mse, 255) > 0.99F);
}

}  // namespace vgg19::converter
