// Statistics of latencies.
#pragma once

#include <cstddef>
#include <span>

namespace vgg19::bench {

struct Latency {
    double median_ms = 0;  ///< the mean of the middle two if the number of samples is even
    double min_ms = 0;
    double p90_ms = 0;  ///< percentiles by nearest rank: the ⌈p/100 · n⌉-th of n sorted samples
    double p99_ms = 0;
    std::size_t runs = 0;
};

/// Throws Error (failed) if there is no sample.
Latency summarise(std::span<const double> seconds);

double median(std::span<const double> values);

}  // namespace vgg19::bench
