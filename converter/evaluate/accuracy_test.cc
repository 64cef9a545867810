#include "converter/evaluate/accuracy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace vgg19::converter {

namespace {

void check_interval(std::uint64_t successes, std::uint64_t trials, double low, double high) {
    const Interval interval = wilson_interval(successes, trials);
    CHECK(interval.low == doctest::Approx(low).epsilon(1e-4));
    CHECK(interval.high == doctest::Approx(high).epsilon(1e-4));
}

}  // namespace

TEST_CASE("Wilson's interval equals the formula evaluated by hand") {
    // With z² = 3.841459: centre (p + z²/2n) / (1 + z²/n), half z √(p(1 − p)/n + z²/4n²) / (1 + z²/n).
    check_interval(8, 10, 0.490162, 0.943318);       // (0.8 + 0.192073) / 1.384146 ± 0.313617 / 1.384146
    check_interval(50, 100, 0.403832, 0.596168);     // 0.5 ± 0.099863 / 1.038415
    check_interval(1726, 2000, 0.847233, 0.877375);  // ± 1.5 percentage points around 0.863
}

TEST_CASE("Wilson's interval stays in [0, 1], and is not empty if all or none were right") {
    // None of n: [0, z² / (n + z²)].
    check_interval(0, 10, 0, 0.277533);
    check_interval(10, 10, 0.722467, 1);
    for (std::uint64_t trials = 1; trials < 200; ++trials) {
        for (const std::uint64_t successes : {std::uint64_t{0}, trials / 3, trials}) {
            const Interval interval = wilson_interval(successes, trials);
            CHECK(interval.low >= 0);
            CHECK(interval.high <= 1);
            CHECK(interval.low <= share(successes, trials));
            CHECK(interval.high >= share(successes, trials));
        }
    }
    check_interval(0, 0, 0, 1);
}

TEST_CASE("a share of nothing is NaN") {
    CHECK(share(1, 4) == 0.25);
    CHECK(share(0, 4) == 0);
    CHECK(std::isnan(share(0, 0)));
}

TEST_CASE("a rank counts larger logits, and earlier equal ones") {
    const std::vector<float> logits = {1, 3, -2, 3, 0, 3};
    const std::vector<std::size_t> ranks = {3, 0, 5, 1, 4, 2};
    for (std::size_t target = 0; target < logits.size(); ++target) {
        CHECK(rank_of(logits, target) == ranks[target]);
    }
}

TEST_CASE("an accuracy counts ranks below 1, 3 and 5") {
    Accuracy accuracy;
    for (const std::size_t rank : {0U, 0U, 1U, 2U, 3U, 4U, 5U, 999U}) accuracy.add(rank);
    CHECK(accuracy.images == 8);
    CHECK(accuracy.top1 == 2);
    CHECK(accuracy.top3 == 4);
    CHECK(accuracy.top5 == 6);
}

}  // namespace vgg19::converter
