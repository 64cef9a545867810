// CIFAR-10's binary files.
#pragma once

#include <memory>
#include <vector>

#include "converter/data/data_set.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// `files`: at least one, in the order of the items. Throws Error (bad_input); for a file of another data set
/// the message names that data set (foreign_data.h).
std::unique_ptr<DataSet> open_cifar(const std::vector<std::filesystem::path>& files,
                                    std::vector<LeftOut> left_out = {});
std::unique_ptr<DataSet> open_cifar(std::vector<model::MappedFile> files, std::vector<LeftOut> left_out = {});

/// The folder's *.bin files for this use, as open_data_set() describes, sorted by name. Throws
/// filesystem_error.
std::vector<std::filesystem::path> cifar_files(const std::filesystem::path& folder, DataUse use);

/// Judged by the file's name, or by a length that is a multiple of the record size.
bool may_be_cifar(const std::filesystem::path& file);

}  // namespace vgg19::converter
