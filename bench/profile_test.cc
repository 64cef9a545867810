#include "bench/profile.h"

#include <doctest/doctest.h>

namespace vgg19::bench {

namespace {

Peaks fixed_peaks() {
    return {.read_gb_per_second = 20,
            .fp32_gflops = 100,
            .int8_gops = 400,
            .reads = {{.level = ReadLevel::l1, .gb_per_second = 1000},
                      {.level = ReadLevel::l2, .gb_per_second = 500},
                      {.level = ReadLevel::l3, .gb_per_second = 100},
                      {.level = ReadLevel::memory, .gb_per_second = 20}}};
}

PlanStep fixed_step(Arithmetic arithmetic) {
    return {.kind = StepKind::convolution,
            .arithmetic = arithmetic,
            .layer = "features.2",
            .kernel = "k",
            .macs = 1'000'000,
            .operations = 500'000,
            .weight_bytes = 100'000,
            .activation_bytes = 100'000};
}

ExpectedStep expected_bytes(double l2, double l3, double memory) {
    ExpectedStep expected;
    expected.bytes[0] = l2;
    expected.bytes[1] = l3;
    expected.bytes[2] = memory;
    return expected;
}

}  // namespace

TEST_CASE("a layer's time is held against each peak, and the largest share is its limit") {
    // 100 µs: FP32 could do 10^7 operations in them, L2 give 50 MB, L3 10 MB, memory 2 MB.
    const StepSeconds seconds{.whole = 100e-6, .work = {}};
    const LayerTime time = layer_time(fixed_step(Arithmetic::fp32), expected_bytes(10e6, 6e6, 0.8e6), 2, 2,
                                      seconds, fixed_peaks());
    CHECK(time.median_ms == doctest::Approx(0.1));
    CHECK(time.gflops == doctest::Approx(40));  // both images
    CHECK(time.executed_gflops == doctest::Approx(5));
    CHECK(time.gb_per_second == doctest::Approx(2));
    CHECK(time.share_of_peak == doctest::Approx(0.1));
    CHECK(time.arithmetic_share == doctest::Approx(0.05));
    CHECK(time.level_share[0].value() == doctest::Approx(0.2));
    CHECK(time.level_share[1].value() == doctest::Approx(0.6));
    CHECK(time.level_share[2].value() == doctest::Approx(0.4));
    CHECK(time.level_bytes[2] == 800'000);
    CHECK(time.limit == "L3");
    CHECK(!time.parts);

    const auto limit = [&](double l2, double memory) {
        return layer_time(fixed_step(Arithmetic::fp32), expected_bytes(l2, 0, memory), 1, 2, seconds,
                          fixed_peaks())
            .limit;
    };
    CHECK(limit(0, 0) == "arithmetic");
    CHECK(limit(30e6, 1e6) == "L2");
    CHECK(limit(10e6, 1e6) == "memory");
}

TEST_CASE("INT8 has a peak of its own, and a level without one has no share") {
    const StepSeconds seconds{.whole = 100e-6, .work = {}};
    Peaks peaks = fixed_peaks();
    peaks.reads.erase(peaks.reads.begin() + 2);
    const LayerTime time =
        layer_time(fixed_step(Arithmetic::int8), expected_bytes(0, 9e6, 0), 1, 2, seconds, peaks);
    CHECK(time.arithmetic_share == doctest::Approx(0.0125));
    CHECK(!time.level_share[1]);
    CHECK(time.level_share[2].value() == 0);
    CHECK(time.limit == "arithmetic");
}

TEST_CASE("the products' share counts their own time, of all threads") {
    const StepSeconds seconds{.whole = 100e-6, .work = {.of = {40e-6, 20e-6, 60e-6}}};
    const LayerTime time =
        layer_time(fixed_step(Arithmetic::fp32), expected_bytes(0, 0, 0), 1, 2, seconds, fixed_peaks());
    REQUIRE(time.parts);
    CHECK(time.parts->input_transform_ms == doctest::Approx(0.02));
    CHECK(time.parts->products_ms == doctest::Approx(0.01));
    CHECK(time.parts->output_transform_ms == doctest::Approx(0.03));
    // 500,000 operations in 10 µs are 50 GFLOP/s.
    CHECK(time.parts->products_share == doctest::Approx(0.5));
}

}  // namespace vgg19::bench
