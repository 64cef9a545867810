#include "tools/compress/drop_prediction.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace vgg19;
using namespace vgg19::tools;

TEST_CASE("A fit is what Bayes' rule says") {
    // Prior N(1, 2²) and N(3, 0.5²), measurements y = 2 ± 0.5 at 0 and y = 4 ± 1 at 2: the information is
    // diag(1/4, 4) + 4 (1 0)ᵀ(1 0) + (1 2)ᵀ(1 2) = ((5.25, 2), (2, 8)), times the mean (1/4 + 8 + 4, 12 + 8)
    // = (12.25, 20). Solved by Cramer's rule: determinant 38.
    TwoTermFit fit({1, 2}, {3, 0.5});
    CHECK(fit.constant() == doctest::Approx(1));
    CHECK(fit.slope() == doctest::Approx(3));
    fit.add(0, 2, 0.5);
    fit.add(2, 4, 1);
    CHECK(fit.constant() == doctest::Approx((12.25 * 8 - 20 * 2) / 38));
    CHECK(fit.slope() == doctest::Approx((5.25 * 20 - 2 * 12.25) / 38));
}

TEST_CASE("A prediction moves from what is believed to what is measured") {
    DropPrediction prediction;
    CHECK(prediction.drop(std::log(4)) == doctest::Approx(0.0101).epsilon(0.01));
    const double before = prediction.drop(1);
    prediction.add(1, {20, 10, 1000});  // one point: more than was believed, though uncertain
    CHECK(prediction.drop(1) > before);
    CHECK(prediction.drop(1) < 0.01);
    for (int i = 0; i < 50; ++i) prediction.add(1, {20, 10, 1000});
    CHECK(prediction.drop(1) == doctest::Approx(0.01).epsilon(0.05));
    CHECK(prediction.differing(1) == doctest::Approx(0.03).epsilon(0.05));
}

TEST_CASE("A reach is where the drop, or its upper bound, is the most that may be lost") {
    DropPrediction prediction;
    const double reach = prediction.reach(0.01);
    CHECK(prediction.drop(reach) == doctest::Approx(0.01));
    const double safe = prediction.safe_reach(0.01, 2000);
    CHECK(prediction.upper_bound(safe, 2000) == doctest::Approx(0.01).epsilon(0.001));
    CHECK(safe < reach);
    CHECK(prediction.safe_reach(0.01, 50'000) > safe);
    CHECK(prediction.safe_reach(0.01, 300) == 0);  // INT8 alone cannot be shown to lose as little
}

TEST_CASE("Fewer right answers without a cut do not make a cut seem to gain") {
    DropPrediction prediction;
    for (int i = 0; i < 20; ++i) prediction.add(0.5, {5, 60, 1000});
    for (int i = 0; i < 20; ++i) prediction.add(1, {0, 90, 1000});
    CHECK(prediction.drop(2) >= prediction.drop(1));
}
