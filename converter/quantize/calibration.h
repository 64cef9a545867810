// Runs a model over images to collect statistics of its layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/quantize/statistics.h"
#include "engine/model/model_file.h"
#include "vgg19/session.h"

namespace vgg19::converter {

/// The calibration images. The data set must outlive this object.
struct CalibrationImages {
    const DataSet* data = nullptr;
    std::vector<std::size_t> items;
    SessionOptions session;    ///< threads, input size and ISA
    std::size_t hold_out = 0;  ///< every which item of the data was left out, for the lineage; 0: none
};

/// Called after each image.
using ImageProgress = std::function<void(std::uint64_t images_done, std::uint64_t images_total)>;

/// A model's logits, and the kernels that ran its layers.
struct CalibrationRun {
    std::vector<float> logits;                     ///< [image][class]
    std::vector<std::string> convolution_kernels;  ///< one per convolution
};
CalibrationRun run_images(const model::ModelFile& model, const CalibrationImages& images,
                          const ImageProgress& progress = {});

/// The largest value of each input channel, for every convolution of the FP32 model except the first: entry i
/// belongs to convolution i + 1. Throws as calibrate() does.
std::vector<std::vector<float>> measure_channels(const model::ModelFile& model,
                                                 const CalibrationImages& images,
                                                 const ImageProgress& progress = {});

/// Statistics of the inputs, for every convolution of the FP32 model except the first: entry i belongs to
/// convolution i + 1. The result does not depend on the number of threads. Throws Error (bad_input) for an
/// image that cannot be read or that makes an activation too large.
std::vector<ConvolutionStatistics> calibrate(const model::ModelFile& model, const CalibrationImages& images,
                                             const ImageProgress& progress = {});

}  // namespace vgg19::converter
