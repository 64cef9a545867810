#include "converter/evaluate/paired_difference.h"

#include <algorithm>
#include <cmath>

namespace vgg19::converter {

namespace {

constexpr double one_sided = 1.6448536269514722;  // 5 % of the normal distribution lies above it
constexpr double two_sided = 1.959963984540054;   // 2.5 % of the normal distribution lies above it

/// The most likely share of images that only the model has right, if the drop is `difference`.
double likely_gain(const PairedCounts& counts, double difference) {
    const double a = 2 * counts.images;
    const double b =
        (2 * counts.images - counts.only_reference_right + counts.only_model_right) * difference -
        counts.only_reference_right - counts.only_model_right;
    const double c = -counts.only_model_right * difference * (1 - difference);
    return std::max(0.0, (std::sqrt(std::max(0.0, b * b - 4 * a * c)) - b) / (2 * a));
}

/// Falls while `difference` grows.
double score(const PairedCounts& counts, double difference) {
    const double lost = counts.only_reference_right - counts.only_model_right - counts.images * difference;
    const double variance =
        counts.images * (2 * likely_gain(counts, difference) + difference * (1 - difference));
    if (lost == 0) return 0;
    return lost / std::sqrt(std::max(variance, 0.0));  // ±infinity where a difference is impossible
}

/// The difference above the drop at which the score is −z.
double upper_bound(const PairedCounts& counts, double z) {
    constexpr int halvings = 60;
    if (counts.images <= 0) return 1;
    double low = drop(counts);
    double high = 1;
    for (int i = 0; i < halvings; ++i) {
        const double middle = (low + high) / 2;
        (score(counts, middle) > -z ? low : high) = middle;
    }
    return high;
}

}  // namespace

PairedCounts paired_counts(const Agreement& agreement) {
    return {static_cast<double>(agreement.only_reference_right),
            static_cast<double>(agreement.only_model_right), static_cast<double>(agreement.reference.images)};
}

double drop(const PairedCounts& counts) {
    return (counts.only_reference_right - counts.only_model_right) / counts.images;
}

double drop_upper_bound(const PairedCounts& counts) {
    return upper_bound(counts, one_sided);
}

Interval drop_interval(const PairedCounts& counts) {
    const PairedCounts exchanged{counts.only_model_right, counts.only_reference_right, counts.images};
    return {-upper_bound(exchanged, two_sided), upper_bound(counts, two_sided)};
}

std::optional<std::uint64_t> images_needed(const PairedCounts& counts, double most) {
    constexpr std::uint64_t most_images = std::uint64_t{1} << 40U;
    if (counts.images <= 0 || drop(counts) >= most) return std::nullopt;
    const auto suffices = [&](std::uint64_t images) {
        const double factor = static_cast<double>(images) / counts.images;
        return drop_upper_bound({counts.only_reference_right * factor, counts.only_model_right * factor,
                                 static_cast<double>(images)}) <= most;
    };
    std::uint64_t high = 1;
    while (!suffices(high)) {
        if (high >= most_images) return std::nullopt;
        high *= 2;
    }
    std::uint64_t low = high / 2;  // does not suffice, or is 0
    while (high - low > 1) {
        const std::uint64_t middle = low + (high - low) / 2;
        (suffices(middle) ? high : low) = middle;
    }
    return high;
}

std::uint64_t fewest_images(double most) {
    // The score without differences is −√(n D / (1 − D)).
    return static_cast<std::uint64_t>(std::ceil(one_sided * one_sided * (1 - most) / most));
}

}  // namespace vgg19::converter
