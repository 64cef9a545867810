// CIFAR-10's binary files.
#pragma once

#include <memory>
#include <vector>

#include "converter/data/data_set.h"

namespace vgg19::converter {

/// At least one file, in the order that items are to have. Throws Error (bad_input), for a file of another
/// data set with what that is (foreign_data.h).
std::unique_ptr<DataSet> open_cifar(const std::vector<std::filesystem::path>& files,
                                    std::vector<LeftOut> left_out = {});

/// The *.bin files of a folder for that use as open_data_set() says, by name. Throws filesystem_error.
std::vector<std::filesystem::path> cifar_files(const std::filesystem::path& folder, DataUse use);

/// By its name, or because it is as long as whole records are.
bool may_be_cifar(const std::filesystem::path& file);

}  // namespace vgg19::converter
