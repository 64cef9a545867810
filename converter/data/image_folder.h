// Folders of images, flat or a folder a class.
#pragma once

#include <memory>
#include <string_view>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// Of a format that this build reads: lower case, with its point.
bool is_image_extension(std::string_view extension);

/// Throws Error (bad_input) as open_data_set() says, and filesystem_error.
std::unique_ptr<DataSet> open_image_folder(const std::filesystem::path& folder);

}  // namespace vgg19::converter
