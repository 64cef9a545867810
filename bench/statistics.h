// What a series of latencies comes to.
#pragma once

#include <cstddef>
#include <span>

namespace vgg19::bench {

struct Latency {
    double median_ms = 0;  ///< the mean of the middle two where their count is even
    double min_ms = 0;
    double p90_ms = 0;  ///< percentiles by nearest rank: of n sorted samples the ⌈p/100 · n⌉-th
    double p99_ms = 0;
    std::size_t runs = 0;
};

/// Throws Error (failed) where there is no sample.
Latency summarise(std::span<const double> seconds);

double median(std::span<const double> values);

}  // namespace vgg19::bench
