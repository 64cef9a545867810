// Quantises all layers for the bench, calibrated on a single picture.
#pragma once

#include <filesystem>

#include "engine/model/model_file.h"

namespace vgg19::bench {

/// `vgg19 quantize --scope all`, calibrated on crops of the bundled picture: enough to run every layer as
/// after calibration on many pictures, but not to judge accuracy.
void quantize_full(const model::ModelFile& source, const std::filesystem::path& output,
                   const model::Progress& progress);

}  // namespace vgg19::bench
