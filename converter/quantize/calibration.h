// A model run over images, to see what its layers get and give.
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

/// What a model is run on. The data set must outlive it.
struct CalibrationImages {
    const DataSet* data = nullptr;
    std::vector<std::size_t> items;
    SessionOptions session;  ///< threads, input size and ISA
};

/// Told after each image.
using ImageProgress = std::function<void(std::uint64_t images_done, std::uint64_t images_total)>;

/// The logits of one model, and the kernels that its layers ran on.
struct CalibrationRun {
    std::vector<float> logits;                     ///< [image][class]
    std::vector<std::string> convolution_kernels;  ///< one a convolution
};
CalibrationRun run_images(const model::ModelFile& model, const CalibrationImages& images,
                          const ImageProgress& progress = {});

/// The largest value of each channel that the FP32 model's convolutions, but for the first, get as input:
/// entry i belongs to convolution i + 1. Throws as calibrate() does.
std::vector<std::vector<float>> measure_channels(const model::ModelFile& model,
                                                 const CalibrationImages& images,
                                                 const ImageProgress& progress = {});

/// What the FP32 model's convolutions, but for the first, get as input: entry i belongs to convolution i + 1.
/// The result is the same for every number of threads. Throws Error (bad_input) for an image that cannot be
/// read, and for one that makes an activation too large.
std::vector<ConvolutionStatistics> calibrate(const model::ModelFile& model, const CalibrationImages& images,
                                             const ImageProgress& progress = {});

}  // namespace vgg19::converter
