// Which pictures a command reads.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::tools {

struct PictureList {
    std::vector<std::string> pictures;           ///< paths; at least one
    std::vector<converter::LeftOut> left_out{};  ///< other files of the folders
};

/// Each argument is a picture's file, or a folder, which stands for the pictures below it, by path. Files
/// that are named themselves count whatever they are called: their kind follows from their content. Throws
/// Error (bad_input) for a folder without pictures.
PictureList list_pictures(const std::vector<std::string>& arguments);

/// The lines of a list of paths, without empty ones. `name` is the list's, for messages. Throws Error
/// (bad_input) if there are none.
std::vector<std::string> read_path_list(std::istream& stream, const std::string& name);

}  // namespace vgg19::tools
