// The parts of the planner (plan.h).
#pragma once

#include <memory>
#include <vector>

#include "engine/program/plan.h"

namespace vgg19 {

/// The types of the weights of a network's layers.
struct WeightTypes {
    std::vector<layers::ConvolutionType> convolutions;
    std::vector<layers::WinogradInt8Scales> winograd_int8;
    std::vector<kernels::DenseWeights> dense;
    bool can_fold_average_pool = true;  ///< into the first dense layer's weights
};

WeightTypes weight_types(const model::ModelFile& model);
/// Of a network without weights.
WeightTypes weight_types(const model::Network& network, Arithmetic arithmetic);

/// The ISA and the machine to plan for.
struct Target {
    kernels::Isa isa{};
    std::shared_ptr<const kernels::Machine> machine;
};

/// What the options say of this CPU.
Target this_target(const SessionOptions& options);
layers::ConvolutionChoice convolution_choice(const SessionOptions& options);

/// Throws Error (usage) for a number that is out of range, or a shape that is too small for an output.
int planned_threads(const SessionOptions& options);
void require_shape(const model::Network& network, const model::NetworkOutput& last, MapSize input_size,
                   std::size_t batch);

/// All convolutions of the network, as if no map were an output.
std::vector<PlannedConvolution> plan_convolutions(const model::Network& network, const Plan& plan,
                                                  const WeightTypes& types, layers::ConvolutionChoice choice);
/// One of them, without regard to the memory that all filters together may take.
PlannedConvolution plan_convolution(const model::Network& network, const Plan& plan, const WeightTypes& types,
                                    layers::ConvolutionChoice choice, std::size_t index);
/// A convolution that keeps its algorithm, for the plan's size.
PlannedConvolution replanned(const PlannedConvolution& convolution, const model::Network& network,
                             const Plan& plan, const WeightTypes& types, std::size_t index);

/// Lists the steps up to the last output that is asked for, and leaves the other layers out of the plan.
void plan_steps(const model::Network& network, const WeightTypes& types, Plan& plan);

}  // namespace vgg19
