#include "tools/style/objective.h"

#include <algorithm>
#include <utility>

#include "tools/picture_sizes.h"

namespace vgg19::tools {

std::vector<std::string> StyleLayers::outputs() const {
    std::vector<std::string> outputs = style;
    for (const std::string& layer : content) {
        if (std::find(outputs.begin(), outputs.end(), layer) == outputs.end()) outputs.push_back(layer);
    }
    return outputs;
}

StyleObjective::StyleObjective(Session& session, StyleLayers layers, const StyleWeights& weights,
                               const Image& content, const Image& style, LossOptions options)
    : session_(session),
      layers_(std::move(layers)),
      weights_(weights),
      options_(std::move(options)),
      pixels_(session.model().preprocessing()) {
    plan_for(style);
    run(planes_of(style.view()));
    for (const std::string& layer : layers_.style) {
        const std::size_t output = output_of(layer);
        const FeatureShape shape = feature_shape(session_.outputs()[output]);
        Target target = {output, std::vector<float>(shape.gram_size())};
        gram_matrix(features_[output], shape, target.values, options_);
        style_.push_back(std::move(target));
    }
    plan_for(content);
    run(planes_of(content.view()));
    for (const std::string& layer : layers_.content) {
        const std::size_t output = output_of(layer);
        content_.push_back({output, features_[output]});
    }
}

void StyleObjective::plan_for(const Image& picture) {
    if (!(session_.input_size() == size_of(picture))) session_.reshape(size_of(picture));
    input_.resize(3 * session_.input_size().pixels());
    input_gradient_.resize(input_.size());
    features_.clear();
    gradients_.clear();
    for (const Output& output : session_.outputs()) {
        features_.emplace_back(output.size());
        gradients_.emplace_back(output.size());
    }
}

std::size_t StyleObjective::output_of(const std::string& layer) const {
    const std::vector<Output>& outputs = session_.outputs();
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&layer](const Output& output) { return output.name == layer; });
    return static_cast<std::size_t>(found - outputs.begin());
}

void StyleObjective::run(std::span<const float> planes) {
    pixels_.to_input(planes, input_);
    const std::vector<std::span<float>> outputs(features_.begin(), features_.end());
    session_.run(input_, outputs, {.is_cancelled = is_cancelled});
}

double StyleObjective::operator()(std::span<const float> planes, std::span<float> gradient) {
    run(planes);
    loss_ = {};
    std::vector<bool> written(features_.size());
    const auto place = [&](std::size_t output) {
        const bool adds = written[output];
        written[output] = true;
        return LossGradient{.values = gradients_[output], .adds = adds};
    };
    for (const Target& target : style_) {
        loss_.style +=
            gram_loss(features_[target.output], feature_shape(session_.outputs()[target.output]),
                      target.values, static_cast<float>(weights_.style), place(target.output), options_);
    }
    for (const Target& target : content_) {
        loss_.content += l2_loss(features_[target.output], target.values,
                                 static_cast<float>(weights_.content), place(target.output), options_);
    }
    const std::vector<std::span<const float>> gradients(gradients_.begin(), gradients_.end());
    session_.backward(gradients, input_gradient_, {.is_cancelled = is_cancelled});
    std::fill(gradient.begin(), gradient.end(), 0.0F);
    pixels_.add_gradient(input_gradient_, gradient);
    if (weights_.variation > 0) {
        const MapSize size = session_.input_size();
        loss_.variation = total_variation(
            planes, {.planes = 3, .height = size.height, .width = size.width}, Variation::absolute,
            static_cast<float>(weights_.variation / static_cast<double>(planes.size())),
            {.values = gradient, .adds = true}, options_);
    }
    return loss_.total();
}

}  // namespace vgg19::tools
