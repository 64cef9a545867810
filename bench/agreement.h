// Compares a variant's answer to an image with the baseline's.
#pragma once

#include <cstddef>
#include <vector>

#include "vgg19/model.h"
#include "vgg19/session.h"

namespace vgg19::bench {

/// The number of most probable classes that are compared.
inline constexpr std::size_t agreeing_classes = 5;

/// The answer for one image.
struct Answer {
    std::vector<float> logits;
    std::vector<Prediction> top;  ///< the agreeing_classes most probable classes, or all if there are fewer
};

/// Agreement of a variant with the baseline on the same image.
struct Agreement {
    bool top1 = false;  ///< the most probable class is the same
    double top5 = 0;    ///< the share of the baseline's top five classes that are also in this one's top five
    double cosine = 0;  ///< between the logits
};

/// Whether answers are comparable: the same number of classes, and no names that differ.
bool have_same_classes(const Model& baseline, const Model& variant);

/// Both must have the same classes.
Agreement agreement_with(const Answer& baseline, const Answer& variant);

}  // namespace vgg19::bench
