// Counts correct predictions, with confidence intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// The bounds of a confidence interval for a share.
struct Interval {
    double low = 0;
    double high = 1;
};

/// Wilson's 95 % score interval (1927) for `successes` of `trials`; all of [0, 1] for no trials.
Interval wilson_interval(std::uint64_t successes, std::uint64_t trials);

/// part / whole; NaN if `whole` is 0.
double share(std::uint64_t part, std::uint64_t whole);

/// The position of `target` when logits are sorted in decreasing order; of equal logits, the lower index
/// comes first. 0 means that the target is the prediction.
std::size_t rank_of(std::span<const float> logits, std::size_t target);

/// The number of images, and how many had their class among the top predictions.
struct Accuracy {
    std::uint64_t images = 0;
    std::uint64_t top1 = 0;
    std::uint64_t top3 = 0;
    std::uint64_t top5 = 0;

    /// Adds an image; its class has this rank.
    void add(std::size_t rank);
};

}  // namespace vgg19::converter
