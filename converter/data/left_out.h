// Counts the files of a folder that a data set does not read.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// In lower case, with its dot: ".jpeg"; "" for none.
std::string extension_of(const std::filesystem::path& file);

/// By extension; folders, which are left out if they cannot be read, by name.
class LeftOutFiles {
  public:
    void add(const std::filesystem::path& file);
    std::vector<LeftOut> list() const;  ///< pictures first, then by extension

  private:
    std::map<std::string, std::size_t> counts_;
};

/// "3 .webp (pictures that this build does not read), 2 .txt"; "" if nothing was left out.
std::string left_out_text(std::span<const LeftOut> left_out);

}  // namespace vgg19::converter
