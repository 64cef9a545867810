// Softmax and cross-entropy over a network's classes, in double precision.
#pragma once

#include <cstddef>
#include <span>

#include "converter/finetune/training_network.h"

namespace vgg19::converter {

/// Replaces `values`, the logits [image][class] of labels.size() images, by the gradients of scale · Σ_images
/// −ln softmax(logits)[label]:
///
///   gradient[class] = scale · (softmax(logits)[class] − [class = label])
///
/// Labels must be below `classes`. If the loss is not finite, the gradients are not either.
BatchResult cross_entropy(std::span<float> values, std::size_t classes, std::span<const std::size_t> labels,
                          double scale);

}  // namespace vgg19::converter
