// Products of samples with a layer's weights.
#pragma once

#include <span>

#include "engine/layers/execution.h"

namespace vgg19::converter {

/// outputs[s] = weights · rows[s] + offset, for rows [samples][inputs], weights [outputs][inputs], an offset
/// [outputs], and outputs [samples][outputs].
void multiply_rows(const layers::Execution& execution, std::span<const float> rows,
                   std::span<const float> weights, std::span<const float> offset, std::span<float> outputs);

/// Σ value².
double squared_sum(std::span<const float> values);

}  // namespace vgg19::converter
