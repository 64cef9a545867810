#include "converter/evaluate/paired_difference.h"

#include <doctest/doctest.h>

#include <cmath>

namespace vgg19::converter {

namespace {

struct Expected {
    PairedCounts counts;
    double bound = 0;
    Interval interval;
};

/// From testdata/paired_difference.py, which maximises the likelihood numerically. 7 and 1 of 21 are children
/// before and after a transplantation (Fagerland, Lydersen and Laake 2014), whose interval is published as
/// 0.026 to 0.517.
const Expected expected[] = {
    {{0, 0, 100}, 0.026343, {-0.036993, 0.036993}},    {{0, 0, 2000}, 0.001351, {-0.001917, 0.001917}},
    {{3, 0, 500}, 0.014917, {-0.001670, 0.017490}},    {{0, 4, 500}, -0.002575, {-0.020387, -0.000315}},
    {{7, 1, 21}, 0.481622, {0.026003, 0.517232}},      {{73, 37, 2000}, 0.026868, {0.007860, 0.028649}},
    {{60, 58, 2000}, 0.010033, {-0.009783, 0.011809}}, {{12, 30, 1000}, -0.007591, {-0.031776, -0.005554}},
    {{40, 20, 160}, 0.203035, {0.030865, 0.218064}},
};

void check_close(double found, double wanted) {
    CHECK(std::abs(found - wanted) < 2e-6);
}

}  // namespace

TEST_CASE("The bounds of a paired difference are Tango's") {
    for (const Expected& each : expected) {
        CAPTURE(each.counts.only_reference_right);
        CAPTURE(each.counts.images);
        check_close(drop_upper_bound(each.counts), each.bound);
        check_close(drop_interval(each.counts).low, each.interval.low);
        check_close(drop_interval(each.counts).high, each.interval.high);
    }
}

TEST_CASE("The drop lies within its interval and below its bound, also at the ends") {
    for (const PairedCounts& counts :
         {PairedCounts{1, 0, 1}, PairedCounts{0, 1, 1}, PairedCounts{5, 5, 10}, PairedCounts{10, 0, 10}}) {
        CHECK(drop_interval(counts).low <= drop(counts));
        CHECK(drop(counts) <= drop_upper_bound(counts));
        CHECK(drop_upper_bound(counts) <= drop_interval(counts).high);
        CHECK(drop_interval(counts).high <= 1);
    }
    CHECK(drop({73, 37, 2000}) == doctest::Approx(0.018));
    CHECK(drop_upper_bound({}) == 1);  // nothing is known
}

TEST_CASE("More images in the same proportions are needed for a closer bound") {
    CHECK(images_needed({73, 57, 2000}, 0.01) == 44092);
    CHECK(images_needed({3, 0, 500}, 0.01) == 1675);
    CHECK(images_needed({0, 0, 20}, 0.05) == 52);
    CHECK_FALSE(images_needed({20, 0, 2000}, 0.01).has_value());  // the drop itself is one point
    CHECK_FALSE(images_needed({}, 0.01).has_value());
    const std::uint64_t needed = images_needed({12, 8, 1000}, 0.01).value();
    const double share = static_cast<double>(needed) / 1000;
    CHECK(drop_upper_bound({12 * share, 8 * share, static_cast<double>(needed)}) <= 0.01);
}

TEST_CASE("No model can keep a promise on fewer images than one without a difference needs") {
    CHECK(fewest_images(0.01) == 268);
    CHECK(fewest_images(0.05) == 52);
    CHECK(drop_upper_bound({0, 0, 268}) <= 0.01);
    CHECK(drop_upper_bound({0, 0, 267}) > 0.01);
}

}  // namespace vgg19::converter
