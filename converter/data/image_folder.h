// Image folders: flat, or with one folder per class.
#pragma once

#include <memory>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// Throws Error (bad_input) as open_data_set() describes, and filesystem_error.
std::unique_ptr<DataSet> open_image_folder(const std::filesystem::path& folder, const ImageOptions& options);

}  // namespace vgg19::converter
