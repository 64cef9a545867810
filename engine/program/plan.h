// The planner: chooses the steps of a run, the kernel of each layer, the number of threads, and the sizes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/layers/convolution_cost.h"
#include "engine/layers/execution.h"
#include "engine/model/model_file.h"
#include "engine/model/output_names.h"
#include "engine/program/step.h"
#include "kernels/dense/dense.h"
#include "vgg19/session.h"

namespace vgg19 {

/// A convolution and its possible algorithms, the chosen one first. They are chosen as if no map were an
/// output, so that asking for one changes the bits of no other.
struct PlannedConvolution {
    std::string layer;
    layers::ConvolutionShape shape;                      ///< what runs
    std::vector<layers::ConvolutionEstimate> estimates;  ///< never empty

    layers::ConvolutionAlgorithm algorithm() const { return estimates.front().algorithm; }
};

/// A result of the session.
struct PlanOutput {
    std::string name;  ///< as it was asked for
    model::NetworkOutput value;
    model::OutputShape shape;  ///< of one image

    bool is(model::OutputKind kind, std::size_t layer) const {
        return value.kind == kind && value.layer == layer;
    }
};

/// Of the layers up to the last one that an output needs.
struct Plan {
    layers::Execution execution;
    MapSize input_size{};
    Pooling pooling = Pooling::max;
    bool gradients = false;                            ///< SessionOptions::gradients: no pool is fused
    std::vector<PlanOutput> outputs;                   ///< in the order of SessionOptions::outputs
    std::vector<PlannedConvolution> convolutions;      ///< one per convolution
    std::vector<kernels::DenseWeights> dense_weights;  ///< one per dense layer
    /// The map whose pixels the folded weights of the first dense layer have; empty if none were folded.
    MapSize folded_size{};
    std::vector<Step> steps;  ///< in execution order
    /// The steps of each layer are [first_steps[layer], first_steps[layer + 1]).
    std::vector<std::size_t> first_steps;

    /// Whether this is an output.
    bool gives(model::OutputKind kind, std::size_t layer) const;
    /// The output that is computed last.
    const model::NetworkOutput& last_output() const;
    /// Convolutions and dense layers.
    std::size_t layer_count() const { return first_steps.size() - 1; }
    /// The map that the first dense layer reads: the average pool's output, or its input if the pool is
    /// folded into the dense layer's weights. Empty without dense layers.
    MapSize dense_input_size() const;
    bool folds_average_pool() const;
    bool runs_onednn() const;  ///< in some convolution
};

/// Fills in what the options leave open. Throws Error (usage) for invalid options: a size out of range; an
/// output that the model lacks; gradients of a model that is not FP32 throughout; an ISA that is unknown, not
/// built, or not supported by this CPU (there is no fallback); oneDNN if it has no implementation. Throws
/// Error (bad_input) for an invalid plan_file.
Plan make_plan(const model::ModelFile& model, const SessionOptions& options);

/// The same plan for another shape: every convolution keeps its algorithm. Throws Error (usage) for a shape
/// out of range.
Plan reshaped(const Plan& plan, const model::ModelFile& model, MapSize input_size, std::size_t batch);

/// The same for a network without weights, for example to estimate costs: of FP32, or with all layers but the
/// first in INT8, with scales for Winograd.
Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options, Arithmetic arithmetic = Arithmetic::fp32);

/// A plan that is not for this CPU, to look at: of `machine`, with kernels of `isa`. Ignores the options' own
/// isa and plan_file.
Plan make_plan_for(const model::ModelFile& model, const SessionOptions& options, kernels::Isa isa,
                   const kernels::Machine& machine);

}  // namespace vgg19
