#include "converter/refit/hidden_refit.h"

#include <algorithm>

namespace vgg19::converter {

void clear_outputs(const DenseTensors& tensors, const Channels& outputs) {
    for (const std::size_t output : outputs.removed) {
        for (std::size_t input = 0; input < tensors.inputs(); ++input) tensors.at(output, input) = 0;
        tensors.bias[output] = 0;
    }
}

void fold_hidden(const DenseTensors& tensors, const HiddenCut& cut) {
    std::vector<double> sums(tensors.bias.begin(), tensors.bias.end());
    for (const std::size_t input : cut.inputs.removed) {
        const double constant = std::max(cut.input_bias[input], 0.0F);
        for (std::size_t output = 0; output < tensors.outputs(); ++output) {
            float& weight = tensors.at(output, input);
            sums[output] += constant * static_cast<double>(weight);
            weight = 0;
        }
    }
    std::transform(sums.begin(), sums.end(), tensors.bias.begin(),
                   [](double sum) { return static_cast<float>(sum); });
    clear_outputs(tensors, cut.outputs);
}

RefitSolution refit_hidden(LayerSampler& sampler, std::size_t layer, const DenseTensors& original,
                           const DenseTensors& tensors, const HiddenCut& cut) {
    const std::vector<std::size_t>& outputs = cut.outputs.kept;
    std::vector<float> rows;
    std::vector<float> missing;
    rows.reserve(outputs.size() * original.inputs());
    for (const std::size_t output : outputs) {
        for (std::size_t input = 0; input < original.inputs(); ++input) {
            rows.push_back(original.at(output, input));
        }
        missing.push_back(original.bias[output] - tensors.bias[output]);
    }
    const RefitProblem problem = {.layer = layer,
                                  .surroundings = Surroundings::none,
                                  .regressors = cut.inputs.kept,
                                  .outputs = outputs.size(),
                                  .weights = rows,
                                  .offset = missing};
    RefitSolution solution = sampler.solve(problem);
    if (solution.values.empty()) return solution;
    const float* value = solution.values.data();
    for (const std::size_t output : outputs) {
        for (const std::size_t input : cut.inputs.kept) tensors.at(output, input) += *value++;
        tensors.bias[output] += *value++;
    }
    return solution;
}

}  // namespace vgg19::converter
