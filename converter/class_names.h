// Names of a model's classes, from a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vgg19::converter {

/// A text file in UTF-8 with a name a line, in the order of the model's outputs; blanks around a name and
/// empty lines at the end do not count. Throws Error (bad_input) with file and line for an empty line before
/// a name, a name that is there twice, is longer than 1000 bytes or no UTF-8; and for a file without names.
std::vector<std::string> read_class_names(const std::filesystem::path& file);

}  // namespace vgg19::converter
