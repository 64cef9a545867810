#include "converter/refit/layer_pass.h"

#include <algorithm>

#include "kernels/common/blocked_layout.h"

namespace vgg19::converter {

SessionOptions with_batch(const model::ModelFile& model, SessionOptions session) {
    constexpr std::size_t pixels = std::size_t{4} * 224 * 224;
    constexpr std::size_t most = 32;
    const MapSize given = session.input_size();
    const MapSize size = given.empty() ? model.description().preprocessing.input_size : given;
    session.outputs = {"logits"};
    session.batch = std::clamp<std::size_t>(pixels / size.pixels(), 1, most);
    return session;
}

LayerPass::LayerPass(const model::ModelFile& model, SessionOptions session)
    : program_(model, make_plan(model, with_batch(model, std::move(session)))) {
    const auto& convolutions = model.network().convolutions();
    for (const model::ConvolutionLayer& layer : convolutions) {
        shapes_.push_back({.channels = layer.input_channels,
                           .size = model.network().map_size(layer, plan().input_size),
                           .block = shapes_.empty() ? 1 : plan().execution.channel_block()});
    }
    shapes_.push_back(
        {.channels = convolutions.back().output_channels, .size = plan().dense_input_size(), .block = 1});
    const auto& dense_layers = model.network().dense_layers();
    for (std::size_t i = 1; i < dense_layers.size(); ++i) {
        shapes_.push_back({.channels = dense_layers[i].inputs, .size = 1, .block = 1});
    }
}

BlockedMap LayerPass::input_map(std::size_t layer, const float* input, std::size_t image) const {
    const MapShape& shape = shapes_[layer];
    return {.values = input + image * shape.image_size(),
            .channels = shape.channels,
            .size = shape.size,
            .block = shape.block};
}

void for_each_batch(const model::ModelFile& model, const CalibrationImages& images, const LayerPass& pass,
                    const std::function<void(const ImageBatch& batch, const float* input)>& visit) {
    ImageReader reader(*images.data, images.items,
                       {{model.description().preprocessing, pass.plan().input_size}}, pass.batch());
    while (const ImageBatch* batch = reader.next()) visit(*batch, batch->inputs.front().data());
}

}  // namespace vgg19::converter
