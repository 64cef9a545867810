// Data sets on the command line: options, help texts and messages on standard error.
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

/// Help text: what --data may be, and how its classes map to the model's.
extern const char* const labelled_data_help;

/// --label-map and --class-order.
void add_label_options(CommandLine& line);
/// Throws Error (usage) if both are given.
converter::LabelOptions label_options(const CommandLine& line);

/// The last component of a path.
std::string base_name(const std::filesystem::path& path);

/// A data set and its names on the command line.
struct NamedData {
    std::string role;  ///< the option's name: "data", "calib"
    std::string path;
    std::shared_ptr<const converter::DataSet> data;
};

/// Opens a data set and describes it on standard error: "data: cifar-10: 10,000 images in 1 file
/// (data_batch_1.bin); left out: test_batch.bin".
NamedData open_data(const std::string& role, const std::string& path, converter::DataUse use,
                    const ImageOptions& options);

/// Calls map_classes(), and reports how classes were mapped.
converter::ClassMapping map_data(const NamedData& named, const converter::ModelClasses& model,
                                 const converter::LabelOptions& options);

std::vector<std::size_t> all_items(const converter::DataSet& data);

/// Decodes each item once, and reports broken ones, which are left out. Throws Error (bad_input) if there are
/// too many.
converter::PictureScan scan_data(const NamedData& named, const std::vector<std::size_t>& items, int threads);
/// Scans all items; also reports duplicates. Throws Error (bad_input) if all pictures of a class are broken.
converter::PictureScan scan_training_data(const NamedData& named, int threads);

/// Throws Error (bad_input) if pictures of `training` also occur in `held_out`.
void require_none_shared(const NamedData& training, const converter::PictureScan& training_scan,
                         const NamedData& held_out, const converter::PictureScan& held_out_scan);

/// The option of a data set, and its value.
struct DataOption {
    std::string role;
    std::string path;
};

/// Before hours of work: opens and scans both. Throws Error (bad_input) for pictures that are in both, for
/// too many that cannot be read, and for a class of `training` without any that can. Returns what was found
/// in `held_out`.
converter::PictureScan require_different_pictures(const DataOption& training, const DataOption& held_out,
                                                  const ImageOptions& options, int threads);

/// --hold-out, for subcommands that calibrate.
void add_hold_out_option(CommandLine& line);
/// Every which image is held out (converter/data/held_out.h): the value of --hold-out, or `otherwise`; 0:
/// none.
std::size_t hold_out_option(const CommandLine& line, std::size_t otherwise = 0);

/// `count` readable items at equal distances, for calibration, without those that are held out; reports if
/// there are fewer.
std::vector<std::size_t> calibration_items(const NamedData& named, std::size_t count, std::size_t hold_out,
                                           int threads);

}  // namespace vgg19::tools
