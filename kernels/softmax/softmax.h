// Softmax, and the most probable classes.
//
//   probabilities[i] = exp(logits[i] − max) / Σ_j exp(logits[j] − max)
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Logits must be finite. The relative error of probabilities above 1e-30 is at most 1e-6. `probabilities`
/// may alias `logits`.
using SoftmaxFunction = void(const float* logits, std::size_t count, float* probabilities);

VGG19_KERNELS(VGG19_FLOAT_ISAS, SoftmaxFunction, softmax)

/// Writes the indices of the `top` largest values in decreasing order; of equal values, the lower index comes
/// first. top ≤ count.
void top_k(const float* values, std::size_t count, std::size_t top, std::size_t* indices);

}  // namespace vgg19::kernels
