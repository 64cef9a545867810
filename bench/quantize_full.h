// INT8 throughout for the bench, which has one picture to calibrate with.
#pragma once

#include <filesystem>

#include "engine/model/model_file.h"

namespace vgg19::bench {

/// `vgg19 quantize --scope all`, calibrated on crops of the bundled picture: enough to run every layer as it
/// would with calibration on many pictures, not to say how accurate that would be.
void quantize_full(const model::ModelFile& source, const std::filesystem::path& output,
                   const model::Progress& progress);

}  // namespace vgg19::bench
