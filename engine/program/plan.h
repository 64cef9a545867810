// The planner: the steps of a run, and which kernel runs each layer, on how many threads, at what size.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/layers/convolution_cost.h"
#include "engine/layers/execution.h"
#include "engine/model/model_file.h"
#include "engine/program/step.h"
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
    MapSize input_size{};
    std::vector<PlannedConvolution> convolutions;  ///< one a convolution of the network
    std::vector<Step> steps;                       ///< in the order in which they run
    /// The steps of each layer are [first_steps[layer], first_steps[layer + 1]).
    std::vector<std::size_t> first_steps;

    /// Convolutions and dense layers.
    std::size_t layer_count() const { return first_steps.size() - 1; }
    /// The map that the first dense layer reads: the average pool's, or the one before it, where the pool is
    /// folded into the dense layer's weights.
    MapSize dense_input_size() const;
    bool folds_average_pool() const;
};

/// Resolves what the options leave open. Throws Error (usage) for what cannot be: a size out of range, an ISA
/// that is unknown, not built, or not this CPU's (it is never replaced by another), oneDNN where it has
/// nothing.
Plan make_plan(const model::ModelFile& model, const SessionOptions& options);

/// The same for a network in FP32 without weights, such as for a cost estimate.
Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options);

}  // namespace vgg19
