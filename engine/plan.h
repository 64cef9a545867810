// The planner: which kernel runs each layer, on how many threads, at what size.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/layers/convolution_cost.h"
#include "engine/layers/execution.h"
#include "engine/model/model_file.h"
#include "vgg19/session.h"

namespace vgg19 {

/// A convolution with the ways to compute it, the one chosen first.
struct PlannedConvolution {
    std::string layer;
    layers::ConvolutionShape shape;
    std::vector<layers::ConvolutionEstimate> estimates;  ///< never empty

    layers::ConvolutionAlgorithm algorithm() const { return estimates.front().algorithm; }
};

struct Plan {
    layers::Execution execution;
    std::size_t input_size = 0;
    std::vector<PlannedConvolution> convolutions;  ///< one a convolution of the network
};

/// Resolves what the options leave open. Throws Error (usage) for what cannot be: a size out of range, an ISA
/// that is unknown, not built, or not this CPU's (it is never replaced by another), oneDNN where it has
/// nothing.
Plan make_plan(const model::ModelFile& model, const SessionOptions& options);

/// The same for a network in FP32 whose weights nobody has.
Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options);

}  // namespace vgg19
