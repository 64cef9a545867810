#include "converter/rounding/error_feedback.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/common/float16.h"
#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

using kernels::Isa;
using kernels::testing::Random;

/// Samples of correlated inputs, without targets: sums of two neighbouring sources and one that all share.
struct Samples {
    std::size_t inputs = 0;
    std::vector<float> rows;  ///< [samples][inputs + 1]

    Samples(Random& random, std::size_t count, std::size_t samples)
        : inputs(count), rows(samples * (count + 1)) {
        std::vector<float> sources(count + 2);
        for (std::size_t s = 0; s < samples; ++s) {
            random.fill(sources, -1, 1);
            float* row = &rows[s * (count + 1)];
            for (std::size_t i = 0; i < count; ++i) row[i] = sources[i] + sources[i + 1] + sources[count + 1];
            row[count] = 1;
        }
    }

    std::unique_ptr<QuadraticError> error(std::size_t outputs, double damping = 1e-4,
                                          Isa isa = Isa::portable) const {
        LeastSquares sums(inputs + 1, outputs, isa, 1);
        sums.add(rows, std::vector<float>(rows.size() / (inputs + 1) * outputs));
        return QuadraticError::of(sums, outputs, {.centred = false, .damping = damping}, isa, 1);
    }

    /// Σ_s ((found − wanted) · x_s)², in double.
    double of(const float* found, const float* wanted) const {
        double sum = 0;
        for (std::size_t s = 0; s < rows.size() / (inputs + 1); ++s) {
            double product = 0;
            for (std::size_t i = 0; i < inputs; ++i) {
                product += (double{found[i]} - double{wanted[i]}) * double{rows[s * (inputs + 1) + i]};
            }
            sum += product * product;
        }
        return sum;
    }
};

std::vector<float> values_of(const RoundedRows& rows, std::size_t inputs) {
    std::vector<float> values;
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
        values.push_back(rows.scales[i / inputs] * static_cast<float>(rows.values[i]));
    }
    return values;
}

std::vector<float> nearest(const std::vector<float>& wanted, float scale, int largest) {
    std::vector<float> values;
    for (const float value : wanted) {
        values.push_back(scale * std::clamp(std::nearbyint(value / scale), -static_cast<float>(largest),
                                            static_cast<float>(largest)));
    }
    return values;
}

/// The least error of all combinations of levels −1, 0 and 1.
double least_error(const Samples& samples, const float* wanted, float scale) {
    std::vector<int> levels(samples.inputs, -1);
    std::vector<float> values(samples.inputs);
    double least = std::numeric_limits<double>::infinity();
    for (;;) {
        for (std::size_t i = 0; i < levels.size(); ++i) values[i] = scale * static_cast<float>(levels[i]);
        least = std::min(least, samples.of(values.data(), wanted));
        std::size_t place = 0;
        while (place < levels.size() && levels[place] == 1) levels[place++] = -1;
        if (place == levels.size()) return least;
        ++levels[place];
    }
}

}  // namespace

TEST_CASE("rounding comes close to the best of all combinations of levels, and the nearest does not") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 7;
    constexpr std::size_t outputs = 70;
    const Samples samples(random, inputs, 60);
    std::vector<float> wanted(outputs * inputs);
    random.fill(wanted, -1, 1);
    const std::vector<float> scales(outputs, 0.8F);
    const RoundedRows rounded = round_rows(*samples.error(outputs), wanted,
                                           {.largest = 1, .scales = scales, .fixed_scales = true}, 2);
    CHECK(rounded.scales == scales);
    const std::vector<float> found = values_of(rounded, inputs);
    const std::vector<float> plain = nearest(wanted, scales[0], 1);
    double best = 0;
    double of_found = 0;
    double of_plain = 0;
    for (std::size_t output = 0; output < outputs; ++output) {
        const std::size_t first = output * inputs;
        best += least_error(samples, &wanted[first], scales[0]);
        of_found += samples.of(&found[first], &wanted[first]);
        of_plain += samples.of(&plain[first], &wanted[first]);
    }
    CHECK(of_found < 1.3 * best);
    CHECK(of_plain > 1.3 * of_found);
}

TEST_CASE("inputs that have nothing to do with each other are rounded to the nearest") {
    constexpr std::size_t inputs = 70;  // more than one block
    Samples samples = [] {
        Random random;
        return Samples(random, inputs, inputs);
    }();
    std::fill(samples.rows.begin(), samples.rows.end(), 0.0F);
    for (std::size_t i = 0; i < inputs; ++i) samples.rows[i * (inputs + 1) + i] = 2;
    Random random;
    INFO(random.replay());
    std::vector<float> wanted(3 * inputs);
    random.fill(wanted, -1, 1);
    const std::vector<float> scales = {0.25F, 0.25F, 0.25F};
    const RoundedRows rounded = round_rows(*samples.error(3, 1e-6), wanted,
                                           {.largest = 3, .scales = scales, .fixed_scales = true}, 1);
    CHECK(values_of(rounded, inputs) == nearest(wanted, 0.25F, 3));
}

TEST_CASE("scales that are fitted lower the error, and levels stay within their range") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 100;
    constexpr std::size_t outputs = 33;
    const Samples samples(random, inputs, 400);
    std::vector<float> wanted(outputs * inputs);
    random.fill(wanted, -1, 1);
    const std::vector<float> scales(outputs, 1.0F / 3);
    const auto error = samples.error(outputs);
    const auto sum = [&](bool fixed_scales) {
        const RoundedRows rounded = round_rows(*error, wanted, {3, scales, fixed_scales}, 1);
        const auto [low, high] = std::minmax_element(rounded.values.begin(), rounded.values.end());
        CHECK(*low >= -3);
        CHECK(*high <= 3);
        const std::vector<float> found = values_of(rounded, inputs);
        double all = 0;
        for (std::size_t o = 0; o < outputs; ++o) all += samples.of(&found[o * inputs], &wanted[o * inputs]);
        return all;
    };
    CHECK(sum(false) < sum(true));
}

TEST_CASE("the best change gives what is missing, and the bias its mean") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 5;
    Samples samples(random, inputs, 300);
    const std::vector<float> change = {0.5F, -1, 0, 2, 0.25F};
    std::vector<float> missing;
    for (std::size_t s = 0; s < 300; ++s) {
        float sum = 3;
        for (std::size_t i = 0; i < inputs; ++i) sum += change[i] * samples.rows[s * (inputs + 1) + i];
        missing.push_back(sum);
    }
    LeastSquares sums(inputs + 1, 1, Isa::portable, 1);
    sums.add(samples.rows, missing);
    const auto error = QuadraticError::of(sums, 1, {.centred = true, .damping = 1e-6}, Isa::portable, 1);
    for (std::size_t i = 0; i < inputs; ++i) {
        CHECK(error->best_change()[i] == doctest::Approx(change[i]).epsilon(1e-3));
    }
}

TEST_CASE("INT4 groups have finite scales, and less error than the nearest of the same scales") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 130;
    constexpr std::size_t outputs = 45;  // one whole group of 32, and a part of one
    const Samples samples(random, inputs, 500);
    std::vector<float> wanted(outputs * inputs);
    random.fill(wanted, -1, 1);
    const RoundedGroups rounded = round_groups(*samples.error(outputs), wanted, 2);
    REQUIRE(rounded.scales.size() == inputs * 2);
    double of_found = 0;
    double of_plain = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
        std::vector<float> found;
        std::vector<float> plain;
        for (std::size_t i = 0; i < inputs; ++i) {
            const float scale = kernels::float16_value(rounded.scales[i * 2 + o / 32]);
            const int level = rounded.values[o * inputs + i];
            CHECK(std::abs(level) <= 7);
            found.push_back(scale * static_cast<float>(level));
            plain.push_back(nearest({wanted[o * inputs + i]}, scale, 7).front());
        }
        of_found += samples.of(found.data(), &wanted[o * inputs]);
        of_plain += samples.of(plain.data(), &wanted[o * inputs]);
    }
    CHECK(of_found < 0.5 * of_plain);
}

}  // namespace vgg19::converter
