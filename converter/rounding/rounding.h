// Chooses how the weights of a quantised model are rounded, by the error of each layer's outputs on
// calibration images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// What became of a layer. Errors are on held-out images, relative: ‖found − expected‖² / ‖expected‖², where
/// found is the output before the ReLU in the network that is quantised up to this layer, and biases do not
/// count to what is expected.
struct LayerRounding {
    std::string layer;
    double nearest = 0;  ///< with every weight rounded to the nearest
    double chosen = 0;   ///< of the weights that the layer has now; at most `nearest`
    double damping = 0;  ///< ErrorTerms::damping that was best; 0 if rounding to the nearest stayed
};

/// Rounds the weights of each layer of `quantization`, from first to last, so that the layer's output is as
/// in the original network, although the layers before it are quantised already; biases and, of INT8
/// layers, scales follow. Every eighth image is held out: a layer stays as it is unless the error on these
/// falls. `model`, `statistics` and `options` are those of quantize_all(). The result does not depend on the
/// number of threads. Throws Error (usage) for fewer than eight images, (bad_input) for one that cannot be
/// read, and (failed) for activations that are not finite.
std::vector<LayerRounding> round_by_error(const model::ModelFile& model,
                                          const std::vector<ConvolutionStatistics>& statistics,
                                          const CalibrationImages& images, const FullOptions& options,
                                          FullQuantization& quantization, const LayerProgress& progress = {});

}  // namespace vgg19::converter
