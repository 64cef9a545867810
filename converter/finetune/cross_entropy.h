// Softmax and cross-entropy over a network's classes, in double precision.
#pragma once

#include <cstddef>
#include <span>

#include "converter/finetune/training_network.h"

namespace vgg19::converter {

/// `values` are the logits of labels.size() images, [image][class], and become the gradients of
/// scale · Σ_images −ln softmax(logits)[label]:
///
///   gradient[class] = scale · (softmax(logits)[class] − [class = label])
///
/// Labels are below `classes`. Where the loss is not finite, so are the gradients.
BatchResult cross_entropy(std::span<float> values, std::size_t classes, std::span<const std::size_t> labels,
                          double scale);

}  // namespace vgg19::converter
