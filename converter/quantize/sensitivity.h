// Measures how sensitive each layer is to INT8.
#pragma once

#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"

namespace vgg19::converter {

/// The effect on the calibration images' logits if one layer is INT8 and all others are FP32.
struct Sensitivity {
    std::string layer;
    std::string way;             ///< "direct", "winograd" (F(2×2)), "winograd_f4x4", or "dense"
    std::string kernel;          ///< that ran the convolution; "" for a dense layer
    double relative_l2 = 0;      ///< ‖found − expected‖ / ‖expected‖ over all logits
    double cosine = 1;           ///< between the logits of an image, mean over all images
    double same_prediction = 1;  ///< share of images with the same prediction
};

/// Measures every quantised layer, the worst first; convolutions direct and by each of Winograd's tiles,
/// whatever the planner would choose.
std::vector<Sensitivity> measure_sensitivity(const model::ModelFile& model,
                                             const FullQuantization& quantization,
                                             const CalibrationImages& images,
                                             const ImageProgress& progress = {});

/// A table with a header, columns separated by tabs.
std::string sensitivity_table(const std::vector<Sensitivity>& layers);

}  // namespace vgg19::converter
