// Runs a model over calibration images up to a layer, or from a layer on.
#pragma once

#include <cstddef>
#include <functional>

#include "converter/evaluate/image_reader.h"
#include "converter/quantize/calibration.h"
#include "converter/quantize/statistics.h"
#include "engine/model/model_file.h"
#include "engine/program/program.h"

namespace vgg19::converter {

/// The shape of a layer's input; for the first dense layer, that of the map before it is flattened; for the
/// others, a single position.
struct MapShape {
    std::size_t channels = 0;
    MapSize size{};
    std::size_t block = 0;  ///< as in kernels/common/blocked_layout.h; 1 for the plain layout

    std::size_t positions() const { return size.pixels(); }
    std::size_t image_size() const {
        return kernels::blocked_size(1, channels, size.height, size.width, block);
    }
};

/// For the logits, with a batch of the pixels of four images of the usual size: it reuses weights where maps
/// are small, and does not take much memory where they are large.
SessionOptions with_batch(const model::ModelFile& model, SessionOptions session);

/// Forward passes over batches of images, for a model with FP32 convolutions.
class LayerPass {
  public:
    /// Chooses the batch size itself.
    LayerPass(const model::ModelFile& model, SessionOptions session);

    const Plan& plan() const { return program_.plan(); }
    Program& program() { return program_; }
    std::size_t batch() const { return plan().execution.batch; }
    /// Layers are numbered: the convolutions, then the dense layers.
    const MapShape& input_shape(std::size_t layer) const { return shapes_[layer]; }
    BlockedMap input_map(std::size_t layer, const float* input, std::size_t image) const;
    /// Returns the layer's inputs for a whole batch, valid until the next run.
    const float* run_to(std::size_t layer, const float* images) {
        return program_.run_layers(0, layer, images);
    }

  private:
    Program program_;
    std::vector<MapShape> shapes_;
};

/// Reads the images in order, on another thread, while visit() processes earlier ones. Throws what
/// DataSet::read throws.
void for_each_batch(const model::ModelFile& model, const CalibrationImages& images, const LayerPass& pass,
                    const std::function<void(const ImageBatch& batch, const float* input)>& visit);

}  // namespace vgg19::converter
