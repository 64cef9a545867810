// Right answers counted, and how far such a count can be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// A share, and what lies around it.
struct Interval {
    double low = 0;
    double high = 1;
};

/// Wilson's score interval (1927) of 95 % for a share of which `successes` of `trials` were seen; all of
/// [0, 1] for none.
Interval wilson_interval(std::uint64_t successes, std::uint64_t trials);

/// Part of a whole, NaN of nothing.
double share(std::uint64_t part, std::uint64_t whole);

/// How many classes come before `target` when logits are sorted, the largest first; of equal ones the lower
/// index first. 0: the target is the prediction.
std::size_t rank_of(std::span<const float> logits, std::size_t target);

/// Images, and those whose class was among the first predictions.
struct Accuracy {
    std::uint64_t images = 0;
    std::uint64_t top1 = 0;
    std::uint64_t top3 = 0;
    std::uint64_t top5 = 0;

    /// One more image, whose class came at that rank.
    void add(std::size_t rank);
};

}  // namespace vgg19::converter
