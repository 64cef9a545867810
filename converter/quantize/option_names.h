// What the options of quantization are called, on the command line and in a model's lineage.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "converter/quantize/calibration.h"
#include "converter/quantize/quantize.h"

namespace vgg19::converter {

/// "int8" or "int4". All throw Error (usage) for an unknown name.
DenseType dense_type_named(std::string_view name);
/// "max", "percentile" or "mse".
RangeMethod range_named(std::string_view name);
/// "nearest" or "error".
Rounding rounding_named(std::string_view name);

/// "--calib photos -n 128 --size 224": the images of a step, from the data set at this path.
std::string calibration_text(const std::filesystem::path& data, const CalibrationImages& images);

/// The lineage's step for quantize_all() and write_full(): "quantize --scope all …".
struct FullStep {
    std::string calibration;  ///< calibration_text()
    bool equalized = true;    ///< whether the model was an EqualizedModel
    bool exif = true;         ///< whether pictures were turned as EXIF says
};
std::string full_step(const FullOptions& options, const FullStep& step);

}  // namespace vgg19::converter
