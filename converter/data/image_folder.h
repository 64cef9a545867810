// Folders of images, flat or a folder a class.
#pragma once

#include <memory>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// Throws Error (bad_input).
std::unique_ptr<DataSet> open_image_folder(const std::filesystem::path& folder);

}  // namespace vgg19::converter
