#include "converter/evaluate/accuracy.h"

#include <cmath>
#include <limits>

namespace vgg19::converter {

Interval wilson_interval(std::uint64_t successes, std::uint64_t trials) {
    if (trials == 0) return {};
    constexpr double z = 1.959963984540054;  // 2.5 % of the normal distribution lies above it
    const auto n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double centre = p + z * z / (2 * n);
    const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;
    // At the ends the exact results are 0 and 1; avoid rounding errors.
    return {successes == 0 ? 0 : (centre - half) / scale, successes == trials ? 1 : (centre + half) / scale};
}

double share(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(part) / static_cast<double>(whole);
}

std::size_t rank_of(std::span<const float> logits, std::size_t target) {
    const float value = logits[target];
    std::size_t rank = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] > value || (logits[i] == value && i < target)) ++rank;
    }
    return rank;
}

void Accuracy::add(std::size_t rank) {
    ++images;
    if (rank < 1) ++top1;
    if (rank < 3) ++top3;
    if (rank < 5) ++top5;
}

}  // namespace vgg19::converter
