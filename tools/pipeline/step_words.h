// Words of the steps' command lines.
#pragma once

#include <string>
#include <vector>

#include "tools/command_line/command_line.h"

namespace vgg19::tools {

/// How pictures are read and labelled: checked texts from the command line, passed on to the steps. "" means
/// the steps' own default.
struct DataOptions {
    std::string label_map;
    std::string class_order;
    std::string max_megapixels;
    bool exif = true;  ///< apply the images' EXIF orientation
};

/// Of the options of add_label_options() and add_image_options(). Throws Error (usage).
DataOptions data_options_of(const CommandLine& line);

/// Appends an option and its value, unless that is "".
void pass(std::vector<std::string>& words, const std::string& option, const std::string& value);
void pass_image_options(std::vector<std::string>& words, const DataOptions& options);
void pass_label_options(std::vector<std::string>& words, const DataOptions& options);

}  // namespace vgg19::tools
