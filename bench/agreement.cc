#include "bench/agreement.h"

#include <algorithm>

#include "converter/cosine.h"
#include "engine/labels/class_names.h"

namespace vgg19::bench {

bool have_same_classes(const Model& baseline, const Model& variant) {
    return baseline.classes() == variant.classes() &&
           !first_other_class(baseline.class_names(), variant.class_names());
}

Agreement agreement_with(const Answer& baseline, const Answer& variant) {
    const auto in_both =
        std::count_if(baseline.top.begin(), baseline.top.end(), [&](const Prediction& wanted) {
            return std::any_of(variant.top.begin(), variant.top.end(), [&](const Prediction& found) {
                return found.class_index == wanted.class_index;
            });
        });
    return {.top1 = baseline.top.front().class_index == variant.top.front().class_index,
            .top5 = static_cast<double>(in_both) / static_cast<double>(baseline.top.size()),
            .cosine = converter::cosine_of(baseline.logits, variant.logits)};
}

}  // namespace vgg19::bench
