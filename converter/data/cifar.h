// CIFAR-10's binary files.
#pragma once

#include <memory>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// At least one file, in the order that items are to have. Throws Error (bad_input).
std::unique_ptr<DataSet> open_cifar(const std::vector<std::filesystem::path>& files);

}  // namespace vgg19::converter
