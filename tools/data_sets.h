// Data sets of a command line: their options and help, and what is said of them on standard error.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/picture_scan.h"
#include "converter/evaluate/label_map.h"
#include "tools/command.h"

namespace vgg19::tools {

/// For help: what --data may be, and which of the model's classes each of its classes is.
extern const char* const labelled_data_help;

/// --label-map and --class-order.
void add_label_options(CommandLine& line);
/// Throws Error (usage) where both are given.
converter::LabelOptions label_options(const CommandLine& line);

/// What a path is called without the folders that it is in.
std::string base_name(const std::filesystem::path& path);

/// A data set as the command line names it.
struct NamedData {
    std::string role;  ///< of the option: "data", "calib"
    std::string path;
    std::shared_ptr<const converter::DataSet> data;
};

/// Opens one, and says what it is: "data: cifar-10: 10,000 images in 1 file (data_batch_1.bin); left out:
/// test_batch.bin".
NamedData open_data(const std::string& role, const std::string& path, converter::DataUse use,
                    const ImageOptions& options);

/// map_classes(), and says how classes were found.
converter::ClassMapping map_data(const NamedData& named, const converter::ModelClasses& model,
                                 const converter::LabelOptions& options);

std::vector<std::size_t> all_items(const converter::DataSet& data);

/// Decodes each item once, and says which are broken: those are left out. Throws Error (bad_input) where
/// there are too many of them.
converter::PictureScan scan_data(const NamedData& named, const std::vector<std::size_t>& items, int threads);
/// Of all items. Says also how many are there more than once. Throws Error (bad_input) where a class has
/// broken pictures alone.
converter::PictureScan scan_training_data(const NamedData& named, int threads);

/// Throws Error (bad_input) where pictures of `training` are in `held_out` too.
void require_none_shared(const NamedData& training, const converter::PictureScan& training_scan,
                         const NamedData& held_out, const converter::PictureScan& held_out_scan);

/// `count` readable items at equal distances, to calibrate with; says where there are fewer.
std::vector<std::size_t> calibration_items(const NamedData& named, std::size_t count, int threads);

}  // namespace vgg19::tools
