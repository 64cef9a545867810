// A model that is run over calibration images up to one layer, or from one on.
#pragma once

#include <cstddef>
#include <functional>

#include "converter/evaluate/image_reader.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/statistics.h"
#include "engine/model/model_file.h"
#include "engine/program/program.h"

namespace vgg19::converter {

/// What a layer gets as input. The first dense layer's is a map too, before it is flattened.
struct MapShape {
    std::size_t channels = 0;
    MapSize size{};
    std::size_t block = 0;  ///< of kernels/common/blocked_layout.h; 1 for the plain layout

    std::size_t positions() const { return size.pixels(); }
    std::size_t image_size() const {
        return kernels::blocked_size(1, channels, size.height, size.width, block);
    }
};

/// A forward pass over batches of images, for a model whose convolutions are in FP32.
class LayerPass {
  public:
    /// The batch is this class's choice.
    LayerPass(const model::ModelFile& model, SessionOptions session);

    const Plan& plan() const { return program_.plan(); }
    Program& program() { return program_; }
    std::size_t batch() const { return plan().execution.batch; }
    /// Layers are counted through convolutions, and then the first dense layer.
    const MapShape& input_shape(std::size_t layer) const { return shapes_[layer]; }
    BlockedMap input_map(std::size_t layer, const float* input, std::size_t image) const;
    /// The inputs of a layer, of a whole batch, valid until the next run.
    const float* run_to(std::size_t layer, const float* images) {
        return program_.run_layers(0, layer, images);
    }

  private:
    Program program_;
    std::vector<MapShape> shapes_;
};

/// Reads the images in their order, while visit() works on those before. Throws what DataSet::read throws.
void for_each_batch(const model::ModelFile& model, const CalibrationImages& images, const LayerPass& pass,
                    const std::function<void(const ImageBatch& batch, const float* input)>& visit);

}  // namespace vgg19::converter
