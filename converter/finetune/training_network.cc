#include "converter/finetune/training_network.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "converter/finetune/dense_layers.h"
#include "converter/finetune/feature_layers.h"
#include "engine/program/plan.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

void require_fp32(const model::ModelFile& model) {
    model.require_classifier();
    const auto require = [&](const std::string& layer) {
        if (!model.is_int8(layer) && !model.is_int4(layer)) return;
        refuse(model.path().string() + ": " + layer +
               " is quantised: training needs FP32 weights; use the model before quantize");
    };
    for (const auto& layer : model.network().convolutions()) require(layer.name);
    for (const auto& layer : model.network().dense_layers()) require(layer.name);
}

/// Uses the session's checks of size, batch, threads and ISA, and its defaults.
Plan checked_plan(const model::ModelFile& model, const TrainingNetworkOptions& options) {
    if (kernels::onednn_version() == "none") {
        refuse("training needs oneDNN, but this build does not have it");
    }
    require_fp32(model);
    if (model.description().pooling != Pooling::max) {
        refuse(model.path().string() + ": expected a model with max-pools for training, found average pools");
    }
    if (!(options.dropout >= 0 && options.dropout < 1)) {
        refuse("dropout: expected at least 0 and below 1, found " + std::to_string(options.dropout));
    }
    return make_plan(model, {.threads = options.threads,
                             .input_height = options.input_size.height,
                             .input_width = options.input_size.width,
                             .batch = options.batch,
                             .convolution = "winograd"});
}

std::vector<model::DenseOrder> dense_orders(const model::ModelFile& model) {
    std::vector<model::DenseOrder> orders;
    for (const auto& layer : model.network().dense_layers()) orders.push_back(model.order(layer));
    return orders;
}

FeatureLayers feature_layers(const model::ModelFile& model, const Plan& plan,
                             const TrainingNetworkOptions& options) {
    return {model.network(), plan.input_size, plan.execution, trains_convolutions(options.trained)};
}

DenseLayers dense_layers(const model::ModelFile& model, const Plan& plan,
                         const TrainingNetworkOptions& options) {
    return {model.network(), dense_orders(model), plan.execution.batch, plan.execution.threads,
            options.dropout};
}

/// The parameters with memory for their values and gradients.
class Parameters {
  public:
    Parameters(const model::ModelFile& model, const TrainingNetworkOptions& options) {
        const auto& network = model.network();
        for (const auto& layer : network.convolutions()) {
            add_layer(convolutions_, model.tensor(model::weight_name(layer.name)),
                      model.tensor(model::bias_name(layer.name)), trains_convolutions(options.trained));
        }
        for (const auto& layer : network.dense_layers()) {
            add_layer(dense_, model.weight(layer), model.tensor(model::bias_name(layer.name)),
                      trains_dense(options.trained, &layer == &network.dense_layers().back()));
        }
    }

    std::span<const Parameter> all() const { return parameters_; }
    const std::vector<LayerParameters>& convolutions() const { return convolutions_; }
    const std::vector<LayerParameters>& dense() const { return dense_; }

    /// The size of that memory.
    static std::uint64_t bytes(const model::ModelFile& model, const TrainingNetworkOptions& options) {
        std::uint64_t floats = 0;
        for (const auto& layer : model.network().convolutions()) {
            const std::uint64_t copies = trains_convolutions(options.trained) ? 2 : 1;
            floats += copies * (9 * layer.input_channels + 1) * layer.output_channels;
        }
        for (const auto& layer : model.network().dense_layers()) {
            const bool is_last = &layer == &model.network().dense_layers().back();
            const std::uint64_t copies = trains_dense(options.trained, is_last) ? 2 : 1;
            floats += copies * (layer.inputs + 1) * layer.outputs;
        }
        return floats * sizeof(float);
    }

  private:
    std::span<float> allocate(std::size_t count) {
        memory_.emplace_back(count * sizeof(float));
        return {memory_.back().as<float>(), count};
    }

    const Parameter& add(const model::Tensor& tensor, bool is_weight, bool trained) {
        const std::span<const float> source = tensor.as<float>();
        const std::span<float> values = allocate(source.size());
        std::copy(source.begin(), source.end(), values.begin());
        const std::span<float> gradient = trained ? allocate(source.size()) : std::span<float>();
        return parameters_.emplace_back(Parameter{tensor.name, tensor.shape, values, gradient, is_weight});
    }

    void add_layer(std::vector<LayerParameters>& layers, const model::Tensor& weight,
                   const model::Tensor& bias, bool trained) {
        const Parameter weights = add(weight, true, trained);
        const Parameter biases = add(bias, false, trained);
        layers.push_back({weights.values, biases.values, weights.gradient, biases.gradient});
    }

    std::vector<kernels::AlignedBuffer> memory_;
    std::vector<Parameter> parameters_;
    std::vector<LayerParameters> convolutions_;
    std::vector<LayerParameters> dense_;
};

}  // namespace

struct TrainingNetwork::State {
    State(const model::ModelFile& model, const TrainingNetworkOptions& options)
        : State(model, options, checked_plan(model, options)) {}

    State(const model::ModelFile& model, const TrainingNetworkOptions& options, const Plan& plan)
        : batch(plan.execution.batch),
          input_size(plan.input_size),
          classes(model.network().classes()),
          threads(plan.execution.threads),
          trained(options.trained),
          objective(options.objective),
          parameters(model, options),
          features(feature_layers(model, plan, options)),
          dense(dense_layers(model, plan, options)) {
        features.allocate();
        dense.allocate();
    }

    void require_images(std::size_t count, std::size_t floats) const {
        const std::size_t expected = count * model::image_channels * input_size.pixels();
        if (count == 0 || count > batch) {
            refuse("images: expected 1 to " + std::to_string(batch) + ", found " + std::to_string(count));
        }
        if (floats != expected) {
            refuse("images: expected " + std::to_string(expected) + " values, found " +
                   std::to_string(floats));
        }
    }

    void require_targets(const Targets& targets, std::size_t count) const {
        if (targets.labels.empty() && targets.teacher_logits.empty()) {
            refuse("targets: expected some, found none");
        }
        if (!targets.labels.empty() && targets.labels.size() != count) {
            refuse("labels: expected " + std::to_string(count) + ", found " +
                   std::to_string(targets.labels.size()));
        }
        for (const std::size_t label : targets.labels) {
            if (label < classes) continue;
            refuse("labels: expected below " + std::to_string(classes) + ", found " + std::to_string(label));
        }
        if (!targets.teacher_logits.empty() && targets.teacher_logits.size() != count * classes) {
            refuse("the teacher's logits: expected " + std::to_string(count * classes) + ", found " +
                   std::to_string(targets.teacher_logits.size()));
        }
    }

    /// Sets the gradients of all pools' outputs; returns the loss.
    double compare_pools(std::size_t count, const Targets& targets, double scale) {
        double loss = 0;
        for (std::size_t pool = 0; pool < match->pools().size(); ++pool) {
            const std::size_t size = match->pools()[pool].channels * match->pools()[pool].pixels;
            pool_outputs[pool].resize(count * size);
            pool_gradients[pool].assign(count * size, 0.0F);
            features.copy_pool(pool, count, pool_outputs[pool]);
            loss += match->add_gradient(pool, count, pool_outputs[pool], targets.teacher_pools[pool],
                                        objective.feature_weight * scale, threads, pool_gradients[pool]);
        }
        return objective.feature_weight * loss;
    }

    std::size_t batch;
    MapSize input_size;
    std::size_t classes;
    int threads;
    TrainedLayers trained;
    Objective objective;
    const FeatureMatch* match = nullptr;
    std::vector<std::vector<float>> pool_outputs{};
    std::vector<std::vector<float>> pool_gradients{};
    Parameters parameters;
    FeatureLayers features;
    DenseLayers dense;
};

TrainingNetwork::TrainingNetwork(const model::ModelFile& model, const TrainingNetworkOptions& options)
    : state_(std::make_unique<State>(model, options)) {}
TrainingNetwork::TrainingNetwork(TrainingNetwork&&) noexcept = default;
TrainingNetwork& TrainingNetwork::operator=(TrainingNetwork&&) noexcept = default;
TrainingNetwork::~TrainingNetwork() = default;

BatchResult TrainingNetwork::accumulate(std::span<const float> images, const Targets& targets,
                                        std::span<const std::uint64_t> dropout_keys, double scale) {
    State& state = *state_;
    const std::size_t count = dropout_keys.size();
    state.require_images(count, images.size());
    state.require_targets(targets, count);

    const kernels::FlushSubnormals flush_subnormals;
    const auto& convolutions = state.parameters.convolutions();
    const auto& dense = state.parameters.dense();
    const float* features = state.features.forward(count, images.data(), convolutions);
    const std::span<float> logits = state.dense.forward(count, features, dense, dropout_keys);
    BatchResult result = apply_objective(state.objective, logits, state.classes, targets, scale);
    const bool convolutions_learn = trains_convolutions(state.trained);
    std::span<const std::vector<float>> pool_gradients;
    if (state.match != nullptr && convolutions_learn && !targets.teacher_pools.empty()) {
        result.loss += state.compare_pools(count, targets, scale);
        pool_gradients = state.pool_gradients;
    }
    if (!std::isfinite(result.loss)) {
        throw Error(ErrorKind::failed, "the loss is not finite: the learning rate may be too high");
    }
    const float* gradient = state.dense.backward(count, features, logits, dense, convolutions_learn);
    if (convolutions_learn) {
        state.features.backward(count, images.data(), gradient, convolutions, pool_gradients);
    }
    return result;
}

void TrainingNetwork::match_features(const FeatureMatch& match) {
    state_->match = &match;
    state_->pool_outputs.resize(match.pools().size());
    state_->pool_gradients.resize(match.pools().size());
}

std::vector<TrainingNetwork::Pool> TrainingNetwork::pools() const {
    std::vector<Pool> result;
    for (const FeatureLayers::Pool& pool : state_->features.pools()) {
        result.push_back({pool.channels, pool.size});
    }
    return result;
}

void TrainingNetwork::copy_pool(std::size_t pool, std::size_t count, std::span<float> values) const {
    state_->features.copy_pool(pool, count, values);
}

void TrainingNetwork::logits(std::span<const float> images, std::span<float> logits) {
    State& state = *state_;
    const std::size_t count = logits.size() / state.classes;
    state.require_images(count, images.size());
    if (logits.size() != count * state.classes) {
        refuse("logits: expected a multiple of " + std::to_string(state.classes) + " values, found " +
               std::to_string(logits.size()));
    }
    const kernels::FlushSubnormals flush_subnormals;
    const float* features = state.features.forward(count, images.data(), state.parameters.convolutions());
    const auto found = state.dense.forward(count, features, state.parameters.dense(), {});
    std::copy(found.begin(), found.end(), logits.begin());
}

void TrainingNetwork::zero_gradients() {
    for (const Parameter& parameter : parameters()) {
        constexpr std::size_t part_size = std::size_t{1} << 16U;
        const std::span<float> gradient = parameter.gradient;
        const std::size_t parts = (gradient.size() + part_size - 1) / part_size;
        kernels::parallel_for(state_->threads, parts, [&](std::size_t part) {
            const kernels::Range range = kernels::part_of(gradient.size(), parts, part);
            std::fill(gradient.data() + range.begin, gradient.data() + range.end, 0.0F);
        });
    }
}

std::span<const Parameter> TrainingNetwork::parameters() const {
    return state_->parameters.all();
}
std::size_t TrainingNetwork::batch() const {
    return state_->batch;
}
MapSize TrainingNetwork::input_size() const {
    return state_->input_size;
}
std::size_t TrainingNetwork::classes() const {
    return state_->classes;
}

std::uint64_t TrainingNetwork::bytes(const model::ModelFile& model, const TrainingNetworkOptions& options) {
    const Plan plan = checked_plan(model, options);
    return Parameters::bytes(model, options) + feature_layers(model, plan, options).bytes() +
           dense_layers(model, plan, options).bytes();
}

}  // namespace vgg19::converter
