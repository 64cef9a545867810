#include "bench/statistics.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "vgg19/error.h"

namespace vgg19::bench {

TEST_CASE("a latency's figures are those of the sorted samples, in milliseconds") {
    std::vector<double> seconds(200);
    std::iota(seconds.rbegin(), seconds.rend(), 1.0);  // 200 … 1
    const Latency latency = summarise(seconds);
    CHECK(latency.runs == 200);
    CHECK(latency.min_ms == 1e3);
    CHECK(latency.median_ms == 100.5e3);
    CHECK(latency.p90_ms == 180e3);
    CHECK(latency.p99_ms == 198e3);
}

TEST_CASE("percentiles are samples, by nearest rank") {
    const Latency three = summarise(std::vector<double>{3, 1, 2});
    CHECK(three.median_ms == 2e3);
    CHECK(three.p90_ms == 3e3);
    const Latency ten = summarise(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(ten.p90_ms == 9e3);
    CHECK(ten.p99_ms == 10e3);
    const Latency one = summarise(std::vector<double>{0.5});
    CHECK(one.min_ms == 500);
    CHECK(one.p99_ms == 500);
}

TEST_CASE("no measurements are an error") {
    CHECK_THROWS_WITH_AS(summarise({}), "nothing was measured", Error);
}

}  // namespace vgg19::bench
