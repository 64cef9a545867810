// Which layers suffer from INT8.
#pragma once

#include <string>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"

namespace vgg19::converter {

/// What one layer in INT8, all others in FP32, does to the logits of the calibration images.
struct Sensitivity {
    std::string layer;
    std::string way;             ///< "direct", "winograd", or "dense"
    std::string kernel;          ///< that ran a convolution; "" for a dense layer
    double relative_l2 = 0;      ///< ‖found − expected‖ / ‖expected‖ over all logits
    double cosine = 1;           ///< of an image's logits, the mean
    double same_prediction = 1;  ///< share of the images
};

/// Every quantised layer, convolutions direct and by Winograd (whatever the planner would choose), the worst
/// first.
std::vector<Sensitivity> measure_sensitivity(const model::ModelFile& model,
                                             const FullQuantization& quantization,
                                             const CalibrationImages& images,
                                             const ImageProgress& progress = {});

/// A table with a head, tabs between columns.
std::string sensitivity_table(const std::vector<Sensitivity>& layers);

}  // namespace vgg19::converter
