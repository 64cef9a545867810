// How much accuracy a model loses against another on the same images, and how sure that is.
#pragma once

#include <cstdint>
#include <optional>

#include "converter/evaluate/accuracy.h"
#include "converter/evaluate/evaluate.h"

namespace vgg19::converter {

/// Images that only one of two models predicts correctly, and how many both were asked. Counts need not be
/// whole: a plan may scale them.
struct PairedCounts {
    double only_reference_right = 0;
    double only_model_right = 0;
    double images = 0;
};

PairedCounts paired_counts(const Agreement& agreement);

/// The accuracy that the model loses, as a share of the images; negative if it gains.
double drop(const PairedCounts& counts);

/// Tango's score interval for the drop (Statistics in Medicine 17, 1998): all differences D that the counts
/// do not contradict, where (lost − gained − n D) / √(n (2 q + D (1 − D))) with the most likely share q of
/// gained images given D is the score. It holds also for few images on which the models differ, where the
/// usual interval would be too short; with none it is not empty.
///
/// The one-sided 95 % upper bound: if the true drop is larger, such counts occur in at most 5 of 100 cases.
double drop_upper_bound(const PairedCounts& counts);
/// The two-sided 95 % interval.
Interval drop_interval(const PairedCounts& counts);

/// How many images there would have to be so that counts in the same proportions have an upper bound of at
/// most `most`; none if no number suffices, because the drop itself is as large.
std::optional<std::uint64_t> images_needed(const PairedCounts& counts, double most);

/// How many images a model without a single difference needs to have an upper bound of at most `most`, which
/// is in (0, 1]. With fewer, no model can.
std::uint64_t fewest_images(double most);

}  // namespace vgg19::converter
