#include "tools/finetune/training_sets.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "converter/data/held_out.h"
#include "converter/evaluate/label_map.h"
#include "converter/finetune/training_data.h"
#include "tools/finetune/options.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

/// Maps the data's classes to a head without names; only the command line can define their order.
converter::ClassMapping map_to_new_head(const NamedData& named, const converter::NewHead& head,
                                        converter::LabelOptions options) {
    if (options.order == converter::ClassOrder::name) {
        throw Error(ErrorKind::usage, "--class-order name: expected class names, given by --classes FILE");
    }
    const std::size_t found = named.data->class_names().size();
    if (options.file.empty() && options.order != converter::ClassOrder::index) {
        if (found != head.classes && found > 0) {
            throw Error(ErrorKind::bad_input, named.path + ": expected " + std::to_string(head.classes) +
                                                  " classes for --classes, found " + std::to_string(found) +
                                                  converter::class_hint(*named.data, named.path));
        }
        if (options.order == converter::ClassOrder::automatic) {
            options.order = converter::ClassOrder::alphabetical;
        }
    }
    return map_data(named, {head.classes}, options);
}

/// Names the new head's classes after the data's classes, if each has exactly one.
void name_classes(converter::NewHead& head, const std::vector<std::string>& data_names,
                  const converter::LabelMap& labels) {
    std::vector<std::string> names(head.classes);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (!names[labels[i]].empty()) return;  // two classes map to the same one: no names
        names[labels[i]] = data_names[i];
    }
    const bool all_named =
        std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.empty(); });
    if (all_named) head.names = std::move(names);
}

converter::ModelClasses classes_of(const model::ModelFile& model,
                                   const std::optional<converter::NewHead>& head) {
    if (head) return {head->classes, head->names};
    return {model.network().classes(), model.description().class_names};
}

/// Also names the new head's classes, if the data has names.
converter::LabelMap map_training_data(const CommandLine& line, const NamedData& named,
                                      const model::ModelFile& model,
                                      std::optional<converter::NewHead>& head) {
    const converter::LabelOptions options = label_options(line);
    if (head && head->names.empty()) {
        converter::LabelMap labels = map_to_new_head(named, *head, options).map;
        name_classes(*head, named.data->class_names(), labels);
        return labels;
    }
    try {
        return map_data(named, classes_of(model, head), options).map;
    } catch (const Error& error) {
        if (head || error.kind() != ErrorKind::bad_input || !options.file.empty()) throw;
        throw Error(error.kind(), std::string(error.what()) +
                                      ". To train other classes than the model's, use --classes N or FILE, "
                                      "which adds a new last layer");
    }
}

/// Uses the names that the new head got from the training data, if any.
converter::LabelMap map_held_out_data(const CommandLine& line, const NamedData& named,
                                      const model::ModelFile& model,
                                      const std::optional<converter::NewHead>& head) {
    converter::LabelOptions options = label_options(line);
    if (head && !head->names.empty()) options.order = converter::ClassOrder::automatic;
    if (head && head->names.empty() && options.file.empty()) {
        return map_to_new_head(named, *head, options).map;
    }
    return map_data(named, classes_of(model, head), options).map;
}

/// Whether training uses the labels of the data: always without a teacher; with one, where there are some and
/// their weight is not 0.
bool uses_labels(const CommandLine& line, const NamedData& named,
                 const std::optional<converter::Distillation>& distillation) {
    if (!distillation) return true;
    const bool labelled = named.data->label(0).has_value();
    if (!labelled && line.given("label-weight") && distillation->label_weight > 0) {
        throw Error(ErrorKind::usage,
                    "--label-weight: expected labelled images for a weight above 0, found " + named.path +
                        ", which has no labels");
    }
    return labelled && distillation->label_weight > 0;
}

/// Items of training whose pictures are not among the held-out ones, under another name.
std::vector<std::size_t> without_copies(const NamedData& named, const converter::PictureScan& scan,
                                        const std::vector<std::size_t>& training,
                                        const std::vector<std::size_t>& held_out) {
    std::set<converter::PictureDigest> digests;
    const auto digest_of = [&scan](std::size_t item) {
        const auto place = std::lower_bound(scan.items.begin(), scan.items.end(), item);
        return scan.digests[static_cast<std::size_t>(place - scan.items.begin())];
    };
    for (const std::size_t item : held_out) digests.insert(digest_of(item));
    std::vector<std::size_t> kept;
    for (const std::size_t item : training) {
        if (!digests.contains(digest_of(item))) kept.push_back(item);
    }
    if (const std::size_t copies = training.size() - kept.size(); copies > 0) {
        std::cerr << named.role << ": " << grouped(copies) << (copies == 1 ? " image is" : " images are")
                  << " not trained on, because the same picture is held out\n";
    }
    return kept;
}

/// Splits the items of `images` into those to train on and held-out ones.
void hold_out(const CommandLine& line, const NamedData& named, const converter::PictureScan& scan,
              converter::TrainingImages& images) {
    const std::size_t every = hold_out_option(line, line.given("teacher") ? 10 : 0);
    if (every == 0) return;
    const std::vector<std::size_t> held_out = converter::held_out_items(scan.items, every);
    std::vector<std::size_t> training = converter::items_in_use(scan.items, every);
    if (training.empty() || (held_out.empty() && line.given("hold-out"))) {
        throw Error(ErrorKind::usage, "--hold-out " + std::to_string(every) +
                                          ": expected images on both sides, found " +
                                          grouped(training.size()) + " to train on and " +
                                          grouped(held_out.size()) + " held out");
    }
    images.origin.emplace_back("hold-out", std::uint64_t{every});
    if (held_out.empty()) {
        std::cerr << named.role << ": too few images to hold one out of " << every
                  << ": nothing says whether the result is better\n";
        return;
    }
    std::cerr << named.role << ": " << grouped(held_out.size())
              << (held_out.size() == 1 ? " image is" : " images are") << " held out\n";
    images.images.items = without_copies(named, scan, training, held_out);
    images.held_out = {images.images.data, held_out, images.images.labels};
}

converter::TrainingImages training_images(const CommandLine& line, const LabelledData& labelled,
                                          std::uint64_t seed) {
    converter::TrainingImages training{labelled.images(), {{"data", base_name(line.text("data"))}}};
    if (line.given("label-map")) training.origin.emplace_back("label-map", base_name(line.text("label-map")));
    if (line.given("class-order")) training.origin.emplace_back("class-order", line.text("class-order"));
    if (line.given("no-exif")) training.origin.emplace_back("no-exif", true);
    if (line.given("teacher")) training.origin.emplace_back("teacher", base_name(line.text("teacher")));
    hold_out(line, labelled.named, labelled.scan, training);
    if (line.given("subset")) {
        const std::size_t count = line.whole_number("subset", 1, most_images);
        training.origin.emplace_back("subset", std::uint64_t{count});
        training.images.items =
            converter::stratified_subset(*labelled.named.data, training.images.items, count, seed);
    }
    return training;
}

}  // namespace

TrainingSets open_training_sets(const CommandLine& line, const model::ModelFile& model,
                                converter::FinetuneOptions& options) {
    TrainingSets sets;
    sets.training.named =
        open_data("data", line.required("data"), converter::DataUse::training, image_options(line));
    if (uses_labels(line, sets.training.named, options.distillation)) {
        sets.training.labels = map_training_data(line, sets.training.named, model, options.head);
    }
    if (line.given("validate")) {
        const NamedData other =
            open_data("validate", line.text("validate"), converter::DataUse::evaluation, image_options(line));
        sets.validation = {other, map_held_out_data(line, other, model, options.head), {}};
    }
    return sets;
}

converter::TrainingImages scan_training_sets(const CommandLine& line, TrainingSets& sets,
                                             const converter::FinetuneOptions& options) {
    sets.training.scan = scan_training_data(sets.training.named, options.threads);
    converter::TrainingImages images = training_images(line, sets.training, options.seed);
    if (sets.validation) {
        LabelledData& other = *sets.validation;
        other.scan = scan_data(other.named, all_items(*other.named.data), options.threads);
        require_none_shared(sets.training.named, sets.training.scan, other.named, other.scan);
        if (!images.held_out) images.held_out = other.images();
    }
    return images;
}

}  // namespace vgg19::tools
