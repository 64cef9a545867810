// How near a variant's answer to an image is to the baseline's.
#pragma once

#include <cstddef>
#include <vector>

#include "vgg19/model.h"
#include "vgg19/session.h"

namespace vgg19::bench {

/// So many of the most probable classes are compared.
inline constexpr std::size_t agreeing_classes = 5;

/// Of one image.
struct Answer {
    std::vector<float> logits;
    std::vector<Prediction> top;  ///< the agreeing_classes most probable, or all of fewer
};

/// With the baseline's logits of the same image.
struct Agreement {
    bool top1 = false;  ///< the most probable class is the same
    double top5 = 0;    ///< the share of the baseline's five most probable classes that are among this one's
    double cosine = 0;  ///< of the logits
};

/// Whether answers compare: as many classes, and none whose names differ.
bool have_same_classes(const Model& baseline, const Model& variant);

/// Both have the same classes.
Agreement agreement_with(const Answer& baseline, const Answer& variant);

}  // namespace vgg19::bench
