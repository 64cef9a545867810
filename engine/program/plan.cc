#include "engine/program/plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/program/planning.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

/// Forcing something that is not available is an error, never a fallback.
void require_onednn(const Plan& plan) {
    if (plan.runs_onednn()) return;
    if (kernels::onednn_version() == "none") {
        throw Error(ErrorKind::usage, "convolution: onednn: this build is without oneDNN");
    }
    throw Error(ErrorKind::usage, std::string("convolution: onednn: oneDNN ") + kernels::onednn_version() +
                                      " has none for these layers with " +
                                      kernels::isa_name(plan.execution.isa));
}

/// Without their shapes.
std::vector<PlanOutput> outputs_of(const model::Network& network, const SessionOptions& options) {
    std::vector<PlanOutput> outputs;
    for (const std::string& name : options.outputs) {
        outputs.push_back({name, model::network_output(network, name), {}});
    }
    if (outputs.empty()) {
        const std::string name = model::default_output(network);
        outputs.push_back({name, model::network_output(network, name), {}});
    }
    return outputs;
}

void set_shapes(const model::Network& network, Plan& plan) {
    for (PlanOutput& output : plan.outputs) {
        output.shape = model::output_shape(network, output.value, plan.input_size);
    }
}

Plan plan_of(const model::Network& network, const WeightTypes& types, const Preprocessing& preprocessing,
             Pooling pooling, const SessionOptions& options, const Target& target) {
    Plan plan;
    plan.execution.isa = target.isa;
    plan.execution.machine = target.machine;
    plan.execution.threads = planned_threads(options);
    plan.execution.batch = options.batch;
    plan.execution.workspace = options.workspace;
    plan.pooling = options.pooling.value_or(pooling);
    plan.gradients = options.gradients;
    plan.input_size = options.input_size() == MapSize() ? preprocessing.input_size : options.input_size();
    plan.outputs = outputs_of(network, options);
    require_shape(network, plan.last_output(), plan.input_size, options.batch);
    set_shapes(network, plan);
    plan.dense_weights = types.dense;
    const layers::ConvolutionChoice choice = convolution_choice(options);
    plan.convolutions = plan_convolutions(network, plan, types, choice);
    if (choice == layers::ConvolutionChoice::onednn) require_onednn(plan);
    if (plan.runs_onednn() && options.parallel_for) {
        throw Error(ErrorKind::usage,
                    "convolution: onednn: oneDNN has threads of its own; expected another convolution with "
                    "parallel_for");
    }
    plan_steps(network, types, plan);
    if (plan.folds_average_pool()) plan.folded_size = plan.dense_input_size();
    return plan;
}

/// The step that makes the first dense layer's input; null if no layer reads one.
const Step* pool_step(const Plan& plan) {
    const auto is_pool = [](const Step& step) {
        return !step.is_tap && (step.kind == StepKind::average_pool || step.kind == StepKind::flatten);
    };
    const auto found = std::find_if(plan.steps.begin(), plan.steps.end(), is_pool);
    return found == plan.steps.end() ? nullptr : &*found;
}

/// The classifier's outputs have names that also a model without it knows.
void require_outputs(const model::ModelFile& model, const SessionOptions& options) {
    for (const std::string& name : options.outputs) {
        if (model.network().has_classifier() || !model::belongs_to_classifier(name)) continue;
        try {
            model.require_classifier();
        } catch (const Error& error) {
            throw Error(error.kind(), "output \"" + name + "\": " + error.what());
        }
    }
}

/// Maps whose channels were scaled by unknown factors are not the trained network's.
void require_known_factors(const model::ModelFile& model, const SessionOptions& options) {
    if (options.outputs.empty() || !model.lacks_output_factors()) return;
    for (const std::string& name : options.outputs) {
        const model::NetworkOutput output = model::network_output(model.network(), name);
        if (!is_map(output.kind) || output.layer + 1 == model.network().convolutions().size()) continue;
        throw Error(ErrorKind::usage,
                    "output \"" + name + "\": " + model.path().string() +
                        " was quantised by an earlier version, which scaled this map's channels and did not "
                        "keep by how much; quantize the model again");
    }
}

void require_fp32(const model::ModelFile& model, const SessionOptions& options) {
    if (!options.gradients) return;
    const auto require = [&](const std::string& layer) {
        if (!model.is_int8(layer) && !model.is_int4(layer)) return;
        throw Error(ErrorKind::usage, "gradients: expected a model of FP32 throughout, found " + layer +
                                          " in INT" + (model.is_int8(layer) ? "8" : "4") + " in " +
                                          model.path().string());
    };
    for (const model::ConvolutionLayer& layer : model.network().convolutions()) require(layer.name);
    for (const model::DenseLayer& layer : model.network().dense_layers()) require(layer.name);
}

Plan plan_of(const model::ModelFile& model, const SessionOptions& options, const Target& target) {
    require_outputs(model, options);
    require_known_factors(model, options);
    require_fp32(model, options);
    const model::Description& description = model.description();
    return plan_of(model.network(), weight_types(model), description.preprocessing, description.pooling,
                   options, target);
}

}  // namespace

bool Plan::gives(model::OutputKind kind, std::size_t layer) const {
    return std::any_of(outputs.begin(), outputs.end(),
                       [&](const PlanOutput& output) { return output.is(kind, layer); });
}

const model::NetworkOutput& Plan::last_output() const {
    return std::max_element(outputs.begin(), outputs.end(),
                            [](const PlanOutput& a, const PlanOutput& b) {
                                return !model::is_computed_by(b.value, a.value);
                            })
        ->value;
}

MapSize Plan::dense_input_size() const {
    const Step* step = pool_step(*this);
    return step == nullptr ? MapSize() : step->output.size;
}

bool Plan::folds_average_pool() const {
    const Step* step = pool_step(*this);
    return step != nullptr && step->kind == StepKind::flatten;
}

bool Plan::runs_onednn() const {
    return std::any_of(convolutions.begin(), convolutions.end(), [](const PlannedConvolution& convolution) {
        return convolution.algorithm() == layers::ConvolutionAlgorithm::onednn;
    });
}

Plan make_plan(const model::ModelFile& model, const SessionOptions& options) {
    return plan_of(model, options, this_target(options));
}

Plan make_plan(const model::Network& network, const Preprocessing& preprocessing,
               const SessionOptions& options, Arithmetic arithmetic) {
    return plan_of(network, weight_types(network, arithmetic), preprocessing, Pooling::max, options,
                   this_target(options));
}

Plan make_plan_for(const model::ModelFile& model, const SessionOptions& options, kernels::Isa isa,
                   const kernels::Machine& machine) {
    return plan_of(model, options, {isa, std::make_shared<const kernels::Machine>(machine)});
}

Plan reshaped(const Plan& plan, const model::ModelFile& model, MapSize input_size, std::size_t batch) {
    const model::Network& network = model.network();
    require_shape(network, plan.last_output(), input_size, batch);
    Plan result = plan;
    result.execution.batch = batch;
    result.input_size = input_size;
    result.steps.clear();
    result.first_steps.clear();
    set_shapes(network, result);
    WeightTypes types = weight_types(model);
    for (std::size_t i = 0; i < result.convolutions.size(); ++i) {
        result.convolutions[i] = replanned(plan.convolutions[i], network, result, types, i);
    }
    // The weights that were folded fit one size; at others the file's are used.
    const MapSize last_map = network.map_size(network.convolutions().back(), input_size).halved();
    types.can_fold_average_pool = last_map == plan.folded_size;
    plan_steps(network, types, result);
    return result;
}

}  // namespace vgg19
