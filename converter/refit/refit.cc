#include "converter/refit/refit.h"

#include <algorithm>
#include <span>
#include <utility>

#include "converter/prune/channels.h"
#include "converter/refit/dense_refit.h"
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
    void refit_dense();

    bool inputs_changed() const { return inputs_changed_; }
    Refit& result() { return result_; }

  private:
    /// Memory for the weights and bias of a whole layer.
    struct NewLayer {
        std::span<float> weight;
        std::span<float> bias;
    };

    const model::ModelFile& model_;
    const PrunePlan& plan_;
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
    Channels outputs = split_channels(layer.output_channels, find_cut(plan_, layer.features_index));
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
            result_.layers.push_back(
                {layer.name, solution.unknowns, solution.samples, solution.ridge, solution.error});
        }
        sampler_.current().program().replace_convolution(index,
                                                         {.weights = weight.data(), .bias = bias.data()});
    }
    inputs_changed_ = inputs_changed_ || !outputs.complete();
    inputs_ = std::move(outputs);
    input_bias_ = old_bias.as<float>();
}

void Refitter::refit_dense() {
    const model::DenseLayer& layer = model_.network().dense_layers().front();
    const std::size_t channels = inputs_.kept.size() + inputs_.removed.size();
    std::vector<float> offset(channels);
    for (const std::size_t channel : inputs_.removed) offset[channel] = -std::max(input_bias_[channel], 0.0F);
    const RefitProblem problem = {.layer = model_.network().convolutions().size(),
                                  .surroundings = Surroundings::none,
                                  .regressors = inputs_.kept,
                                  .outputs = channels,
                                  .offset = offset};
    const RefitSolution solution = sampler_.solve(problem);
    result_.layers.push_back(
        {layer.name, solution.unknowns, solution.samples, solution.ridge, solution.error});
    const model::Tensor& old_weight = model_.weight(layer);
    const model::Tensor& old_bias = model_.tensor(model::bias_name(layer.name));
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
    fold_channel_map(map, {old_weight.as<float>(), old_bias.as<float>(), model_.order(layer), layer.outputs},
                     result_.tensors.add(old_weight.name, old_weight.shape),
                     result_.tensors.add(old_bias.name, old_bias.shape));
}

}  // namespace

Refit refit(const model::ModelFile& model, const PrunePlan& plan, const CalibrationImages& images,
            const RefitOptions& options, const model::Progress& progress) {
    require_fp32_throughout(model);
    pruned_network(model.network(), plan);  // throws if the plan does not fit
    Refitter refitter(model, plan, images, options);
    const std::size_t convolutions = model.network().convolutions().size();
    for (std::size_t index = 0; index < convolutions; ++index) {
        refitter.refit_convolution(index);
        if (progress) progress(index + 1, convolutions + 1);
    }
    if (refitter.inputs_changed()) refitter.refit_dense();
    if (progress) progress(convolutions + 1, convolutions + 1);
    return std::move(refitter.result());
}

}  // namespace vgg19::converter
