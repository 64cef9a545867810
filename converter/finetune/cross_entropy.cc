#include "converter/finetune/cross_entropy.h"

#include <algorithm>
#include <cmath>

namespace vgg19::converter {

BatchResult cross_entropy(std::span<float> values, std::size_t classes, std::span<const std::size_t> labels,
                          double scale) {
    BatchResult result;
    for (std::size_t image = 0; image < labels.size(); ++image) {
        const std::span<float> logits = values.subspan(image * classes, classes);
        const auto largest = std::max_element(logits.begin(), logits.end());
        const double most = *largest;
        double sum = 0;
        for (const float logit : logits) sum += std::exp(logit - most);
        const std::size_t label = labels[image];
        if (static_cast<std::size_t>(largest - logits.begin()) == label) ++result.top1;
        result.loss += std::log(sum) - (logits[label] - most);
        for (std::size_t i = 0; i < classes; ++i) {
            const double share = std::exp(logits[i] - most) / sum;
            logits[i] = static_cast<float>(scale * (share - (i == label ? 1.0 : 0.0)));
        }
    }
    return result;
}

}  // namespace vgg19::converter
