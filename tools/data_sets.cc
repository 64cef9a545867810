#include "tools/data_sets.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "converter/data/held_out.h"
#include "engine/model/foreign_text.h"
#include "tools/progress_bar.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using converter::PictureScan;

void say(const NamedData& named, const std::string& text) {
    std::cerr << named.role << ": " << model::printable_lines(text) << '\n';
}

/// A class must not disappear because all its pictures are broken.
void require_classes(const NamedData& named, const PictureScan& scan) {
    std::set<std::size_t> left;
    for (const std::size_t item : scan.items) {
        if (const auto label = named.data->label(item)) left.insert(*label);
    }
    for (const converter::BrokenPicture& broken : scan.broken) {
        const auto label = named.data->label(broken.item);
        if (!label || left.contains(*label)) continue;
        throw Error(ErrorKind::bad_input, named.path + ": expected a picture of class " +
                                              named.data->class_names()[*label] +
                                              " that can be read, found none: " + broken.problem);
    }
}

}  // namespace

const char* const labelled_data_help =
    "--data is a folder with one folder per class, which contain images at any depth, or CIFAR-10's binary\n"
    "files; in a folder of those, data_batch_*.bin are for training and test_batch.bin is for evaluation. "
    "Files\n"
    "that are left out are reported. Each class folder is mapped to a class of the model\n"
    "  by --label-map FILE, with one line per class: its name (or position, from 0), and the model's class "
    "as\n"
    "    index, WordNet id or the model's name; # begins a comment;\n"
    "  or by --class-order: name (the folder has the class's name, WordNet id or ImageNet label), index "
    "(the\n"
    "    folder's name is the class's index), or the folder's position in a sorted list, alphabetical\n"
    "    (0 1 10 11 2, as PyTorch's ImageFolder) or natural (0 1 2 10 11);\n"
    "  else, for CIFAR-10's files and a model of ImageNet's 1000 classes, by the built-in map: airplane is\n"
    "    404 (airliner), automobile 817 (sports car), bird 15 (robin), cat 281 (tabby), deer 352 (impala),\n"
    "    dog 207 (golden retriever), frog 30 (bullfrog), horse 339 (sorrel), ship 510 (container ship),\n"
    "    truck 867 (trailer truck);\n"
    "  else by the model's class names, if it has them; for ImageNet's classes by WordNet ids (also\n"
    "    n02085620-Chihuahua), indices or labels; case is ignored, and '_' and '-' count as spaces;\n"
    "  else by alphabetical order, if there are as many folders as classes. If folder names are numbers "
    "that\n"
    "    can be read in two ways, an error shows both.";

void add_label_options(CommandLine& line) {
    line.option("label-map", "FILE", "the model's class for each class of the data")
        .option(
            "class-order", "RULE",
            "instead: how class folders map to the model's classes: name, index, alphabetical or natural");
}

converter::LabelOptions label_options(const CommandLine& line) {
    converter::LabelOptions options;
    options.file = line.text("label-map");
    if (!line.given("class-order")) return options;
    if (line.given("label-map")) {
        throw Error(ErrorKind::usage, "--label-map and --class-order exclude each other");
    }
    options.order = converter::class_order_named(line.text("class-order"));
    return options;
}

std::string base_name(const std::filesystem::path& path) {
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

NamedData open_data(const std::string& role, const std::string& path, converter::DataUse use,
                    const ImageOptions& options) {
    NamedData named = {role, path, converter::open_data_set(path, use, options)};
    say(named, path + ": " + converter::description(*named.data));
    return named;
}

converter::ClassMapping map_data(const NamedData& named, const converter::ModelClasses& model,
                                 const converter::LabelOptions& options) {
    converter::ClassMapping mapping = converter::map_classes(*named.data, named.path, model, options);
    say(named, "classes " + mapping.reading);
    if (named.data->class_names().size() == 1) say(named, "all images are of one class");
    return mapping;
}

std::vector<std::size_t> all_items(const converter::DataSet& data) {
    return converter::spread_items(data.size(), data.size());
}

PictureScan scan_data(const NamedData& named, const std::vector<std::size_t>& items, int threads) {
    PictureScan scan;
    {
        ProgressBar bar("looking at pictures", ProgressUnit::items);
        scan = converter::scan_pictures(*named.data, items, threads, bar.callback());
    }
    if (scan.broken.empty()) return scan;
    converter::require_few_broken(scan.broken, items.size(), named.path);
    say(named, "left out: " + converter::broken_text(scan.broken, items.size()));
    return scan;
}

PictureScan scan_training_data(const NamedData& named, int threads) {
    PictureScan scan = scan_data(named, all_items(*named.data), threads);
    require_classes(named, scan);
    if (const std::size_t again = scan.duplicates(); again > 0) {
        say(named, grouped(again) + (again == 1 ? " picture is" : " pictures are") +
                       " the same as another, and count more than once");
    }
    if (const auto found = converter::find_contradicting_labels(*named.data, scan)) {
        say(named, grouped(found->count) + " pictures are in more than one class, such as " +
                       named.data->name(found->first_item) + " and " + named.data->name(found->second_item));
    }
    return scan;
}

void require_none_shared(const NamedData& training, const PictureScan& training_scan,
                         const NamedData& held_out, const PictureScan& held_out_scan) {
    const auto shared = converter::find_shared_pictures(training_scan, held_out_scan);
    if (!shared) return;
    throw Error(ErrorKind::bad_input,
                "--" + training.role + " and --" + held_out.role + ": expected different pictures, found " +
                    grouped(shared->count) + " of " + grouped(held_out_scan.items.size()) + " of --" +
                    held_out.role + " in --" + training.role + " too, the first of them " +
                    held_out.data->name(shared->held_out_item) + ", which is the same as " +
                    training.data->name(shared->training_item) +
                    ": accuracy on training pictures says nothing about other pictures");
}

converter::PictureScan require_different_pictures(const DataOption& training, const DataOption& held_out,
                                                  const ImageOptions& options, int threads) {
    const NamedData one = open_data(training.role, training.path, converter::DataUse::training, options);
    const NamedData other = open_data(held_out.role, held_out.path, converter::DataUse::evaluation, options);
    const PictureScan scan = scan_training_data(one, threads);
    PictureScan other_scan = scan_data(other, all_items(*other.data), threads);
    require_none_shared(one, scan, other, other_scan);
    return other_scan;
}

void add_hold_out_option(CommandLine& line) {
    line.option("hold-out", "K", "leave out every K-th image of --calib, as finetune does; 0: none", "0");
}

std::size_t hold_out_option(const CommandLine& line, std::size_t otherwise) {
    constexpr std::size_t most_images = 1'000'000'000;
    return line.given("hold-out") ? line.whole_number("hold-out", 0, most_images) : otherwise;
}

std::vector<std::size_t> calibration_items(const NamedData& named, std::size_t count, std::size_t hold_out,
                                           int threads) {
    const std::vector<std::size_t> in_use = converter::items_in_use(all_items(*named.data), hold_out);
    if (in_use.empty())
        throw Error(ErrorKind::usage, "--hold-out 1: expected images to calibrate with, found none");
    std::vector<std::size_t> chosen = converter::spread_items(in_use.size(), count);
    for (std::size_t& item : chosen) item = in_use[item];
    std::vector<std::size_t> items = scan_data(named, chosen, threads).items;
    if (items.size() < count) {
        say(named, "calibrating with " + grouped(items.size()) + (items.size() == 1 ? " image" : " images") +
                       ", not with the " + grouped(count) + " of -n: there are no more" +
                       (items.size() < chosen.size() ? " that can be read" : ""));
    }
    return items;
}

}  // namespace vgg19::tools
