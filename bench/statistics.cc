#include "bench/statistics.h"

#include <algorithm>
#include <vector>

#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

std::vector<double> sorted(std::span<const double> values) {
    if (values.empty()) throw Error(ErrorKind::failed, "nothing was measured");
    std::vector<double> copy(values.begin(), values.end());
    std::sort(copy.begin(), copy.end());
    return copy;
}

double median_of_sorted(const std::vector<double>& values) {
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Whole percents, so that the rank is computed exactly.
double nearest_rank(const std::vector<double>& values, std::size_t percent) {
    return values[(percent * values.size() + 99) / 100 - 1];
}

}  // namespace

Latency summarise(std::span<const double> seconds) {
    const std::vector<double> samples = sorted(seconds);
    return {.median_ms = median_of_sorted(samples) * 1e3,
            .min_ms = samples.front() * 1e3,
            .p90_ms = nearest_rank(samples, 90) * 1e3,
            .p99_ms = nearest_rank(samples, 99) * 1e3,
            .runs = samples.size()};
}

double median(std::span<const double> values) {
    return median_of_sorted(sorted(values));
}

}  // namespace vgg19::bench
