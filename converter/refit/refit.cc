#include "converter/refit/refit.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "converter/prune/channels.h"
#include "converter/refit/dense_refit.h"
#include "converter/refit/hidden_refit.h"
#include "converter/refit/layer_samples.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// The state of refit(): the original model, and the current one with the removed filters' weights set to
/// zero.
class Refitter {
  public:
    Refitter(const model::ModelFile& model, const PrunePlan& plan, const CalibrationImages& images,
             const RefitOptions& options)
        : model_(model),
          plan_(plan),
          sampler_(model, images, options.seed),
          inputs_(split_channels(model::image_channels, nullptr)) {}

    void refit_convolution(std::size_t index);
    /// A dense layer, counted from 0.
    void refit_dense(std::size_t index);

    Refit& result() { return result_; }

  private:
    /// Memory for the weights and bias of a whole layer.
    struct NewLayer {
        std::span<float> weight;
        std::span<float> bias;
    };

    /// The first dense layer, of which `tensors` have the original weights.
    void refit_first_dense(const model::DenseLayer& layer, const DenseTensors& tensors);
    void add_report(const std::string& layer, const RefitSolution& solution) {
        result_.layers.push_back(
            {layer, solution.unknowns, solution.samples, solution.ridge, solution.error});
    }

    const model::ModelFile& model_;
    const PrunePlan& plan_;
    std::optional<model::ModelFile> changed_;  ///< the model with the result's tensors
    LayerSampler sampler_;
    Channels inputs_;  ///< of the next layer
    std::span<const float> input_bias_;
    bool inputs_changed_ = false;
    Refit result_;
};

/// Adds the least-squares solution to the kept weights.
void add_solution(std::span<const float> solution, const Channels& outputs, const Channels& inputs,
                  std::size_t input_channels, std::span<float> weight, std::span<float> bias) {
    constexpr std::size_t taps = 9;
    const float* value = solution.data();
    for (const std::size_t output : outputs.kept) {
        for (const std::size_t channel : inputs.kept) {
            float* to = weight.data() + (output * input_channels + channel) * taps;
            for (std::size_t tap = 0; tap < taps; ++tap) to[tap] += *value++;
        }
        bias[output] += *value++;
    }
}

void Refitter::refit_convolution(std::size_t index) {
    const model::ConvolutionLayer& layer = model_.network().convolutions()[index];
    Channels outputs = output_channels(model_.network(), plan_, index);
    const model::Tensor& old_weight = model_.tensor(model::weight_name(layer.name));
    const model::Tensor& old_bias = model_.tensor(model::bias_name(layer.name));
    if (inputs_changed_ || !outputs.complete()) {
        constexpr std::size_t taps = 9;
        const LayerWeights weights{old_weight.as<float>(), layer.input_channels, taps};
        const std::span<float> weight = result_.tensors.add(old_weight.name, old_weight.shape);
        const std::span<float> bias = result_.tensors.add(old_bias.name, old_bias.shape);
        std::fill(weight.begin(), weight.end(), 0.0F);
        std::fill(bias.begin(), bias.end(), 0.0F);
        std::vector<float> folded(outputs.kept.size());
        fold_bias(weights, old_bias.as<float>(), outputs, inputs_, input_bias_, folded);
        for (std::size_t i = 0; i < outputs.kept.size(); ++i) {
            const std::size_t output = outputs.kept[i];
            bias[output] = folded[i];
            for (const std::size_t channel : inputs_.kept) {
                const auto from = weights.taps(output, channel);
                std::copy(from.begin(), from.end(),
                          weight.begin() +
                              static_cast<std::ptrdiff_t>((output * layer.input_channels + channel) * taps));
            }
        }
        if (inputs_changed_) {
            // The offset between the target and the output of the plain weights.
            std::vector<float> missing(outputs.kept.size());
            for (std::size_t i = 0; i < missing.size(); ++i) {
                missing[i] = old_bias.as<float>()[outputs.kept[i]] - folded[i];
            }
            std::vector<float> kept_rows(outputs.kept.size() * layer.input_channels * taps);
            gather_weights(weights, outputs, split_channels(layer.input_channels, nullptr), kept_rows);
            const RefitProblem problem = {.layer = index,
                                          .surroundings = Surroundings::taps_3x3,
                                          .regressors = inputs_.kept,
                                          .outputs = outputs.kept.size(),
                                          .weights = kept_rows,
                                          .offset = missing};
            const RefitSolution solution = sampler_.solve(problem);
            if (!solution.values.empty()) {
                add_solution(solution.values, outputs, inputs_, layer.input_channels, weight, bias);
            }
            add_report(layer.name, solution);
        }
        sampler_.current().program().replace_convolution(index,
                                                         {.weights = weight.data(), .bias = bias.data()});
    }
    inputs_changed_ = inputs_changed_ || !outputs.complete();
    inputs_ = std::move(outputs);
    input_bias_ = old_bias.as<float>();
}

void Refitter::refit_first_dense(const model::DenseLayer& layer, const DenseTensors& tensors) {
    const std::size_t channels = inputs_.count();
    std::vector<float> offset(channels);
    for (const std::size_t channel : inputs_.removed) offset[channel] = -std::max(input_bias_[channel], 0.0F);
    const RefitProblem problem = {.layer = model_.network().convolutions().size(),
                                  .surroundings = Surroundings::none,
                                  .regressors = inputs_.kept,
                                  .outputs = channels,
                                  .offset = offset};
    const RefitSolution solution = sampler_.solve(problem);
    add_report(layer.name, solution);
    ChannelMap map = {.channels = channels,
                      .kept = inputs_.kept,
                      .weights = std::vector<float>(channels * inputs_.kept.size()),
                      .constants = std::vector<float>(channels)};
    for (std::size_t i = 0; i < inputs_.kept.size(); ++i) {
        map.weights[inputs_.kept[i] * inputs_.kept.size() + i] = 1;
    }
    for (std::size_t c = 0; c < channels; ++c) map.constants[c] = -offset[c];
    if (!solution.values.empty()) {
        const float* value = solution.values.data();
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t i = 0; i < inputs_.kept.size(); ++i) {
                map.weights[c * inputs_.kept.size() + i] += *value++;
            }
            map.constants[c] += *value++;
        }
    }
    const std::span<const float> old_weight = model_.weight(layer).as<float>();
    const std::span<const float> old_bias = model_.tensor(model::bias_name(layer.name)).as<float>();
    fold_channel_map(map, {old_weight, old_bias, tensors.order, layer.outputs}, tensors.weight, tensors.bias);
}

void Refitter::refit_dense(std::size_t index) {
    const model::DenseLayer& layer = model_.network().dense_layers()[index];
    const std::size_t number = model_.network().convolutions().size() + index;
    const model::Tensor& weight = model_.weight(layer);
    const model::Tensor& bias = model_.tensor(model::bias_name(layer.name));
    Channels outputs = output_channels(model_.network(), plan_, number);
    const bool loses_inputs = index == 0 ? inputs_changed_ : !inputs_.complete();
    if (loses_inputs || !outputs.complete()) {
        std::vector<float> weight_before(weight.as<float>().begin(), weight.as<float>().end());
        std::vector<float> bias_before(bias.as<float>().begin(), bias.as<float>().end());
        const DenseTensors original = {weight_before, bias_before, model_.order(layer)};
        const HiddenCut cut = {outputs, inputs_, input_bias_};
        if (index > 0 && loses_inputs) {
            changed_ = model_.with(result_.tensors.tensors());
            sampler_.replace_current(*changed_);
        }
        const DenseTensors tensors = {result_.tensors.add(weight.name, weight.shape),
                                      result_.tensors.add(bias.name, bias.shape), original.order};
        std::copy(weight_before.begin(), weight_before.end(), tensors.weight.begin());
        std::copy(bias_before.begin(), bias_before.end(), tensors.bias.begin());
        if (index == 0) {
            if (loses_inputs) refit_first_dense(layer, tensors);
            clear_outputs(tensors, outputs);
        } else {
            fold_hidden(tensors, cut);
            if (loses_inputs) add_report(layer.name, refit_hidden(sampler_, number, original, tensors, cut));
        }
    }
    inputs_ = std::move(outputs);
    input_bias_ = bias.as<float>();
}

}  // namespace

Refit refit(const model::ModelFile& model, const PrunePlan& plan, const CalibrationImages& images,
            const RefitOptions& options, const model::Progress& progress) {
    require_fp32_throughout(model);
    pruned_network(model.network(), plan);  // throws if the plan does not fit
    Refitter refitter(model, plan, images, options);
    const std::size_t convolutions = model.network().convolutions().size();
    const std::size_t layers = convolutions + model.network().dense_layers().size();
    for (std::size_t index = 0; index < layers; ++index) {
        if (index < convolutions) {
            refitter.refit_convolution(index);
        } else {
            refitter.refit_dense(index - convolutions);
        }
        if (progress) progress(index + 1, layers);
    }
    return std::move(refitter.result());
}

}  // namespace vgg19::converter
