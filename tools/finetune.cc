// vgg19 finetune
#include "converter/finetune/finetune.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "converter/class_names.h"
#include "converter/data/data_set.h"
#include "converter/evaluate/evaluate.h"
#include "converter/evaluate/label_map.h"
#include "converter/finetune/training_data.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/data_sets.h"
#include "tools/interrupt.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "tools/training_report.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t most_epochs = 100'000;
constexpr std::size_t largest_batch = 65'536;
constexpr std::size_t most_images = 1'000'000'000;
constexpr std::size_t most_megabytes = 1'000'000'000;
constexpr std::size_t most_steps = 1'000'000'000;
constexpr double largest_rate = 1000;
constexpr double most_seconds = 1e9;
constexpr double below_one = 1 - std::numeric_limits<double>::epsilon();
constexpr std::size_t validation_batch = 8;

CommandLine command_line() {
    CommandLine line("finetune",
                     std::string("Trains an FP32 model further on labelled images: cross-entropy over the "
                                 "model's classes, by Adam or SGD.\n"
                                 "For other classes, --classes gives it a new last layer. Unreadable images "
                                 "are left out and reported.\n\n") +
                         labelled_data_help,
                     "MODEL -o OUTPUT --data DATA");
    add_output_option(line);
    line.option("data", "DATA", "labelled images (required)")
        .option("classes", "N|FILE",
                "give the model a new last layer with N classes, or with the classes named in FILE, one per "
                "line; the names (without FILE those of the class folders) are stored in the model")
        .option("head-epochs", "N",
                "with --classes: initial epochs that train only the new layer; default: 1")
        .option("head-lr", "RATE",
                "with --classes: the learning rate of those epochs; default: ten times --lr")
        .option("subset", "N", "train on N random images, with the same shares of classes")
        .option("epochs", "N", "number of epochs: how often each image is shown", "1")
        .option("batch", "N", "images per step", "32")
        .option("optimizer", "NAME", "adam or sgd", "adam")
        .option("lr", "RATE", "the highest learning rate", "1e-4")
        .option("momentum", "M", "momentum of sgd; default: 0.9")
        .option("weight-decay", "W", "L2 weight decay; not for biases", "0")
        .option("schedule", "NAME",
                "learning rate schedule: constant, cosine (falls to 0), or step (a tenth after half of the "
                "steps, a hundredth after three quarters)",
                "cosine")
        .option("warmup", "STEPS",
                "steps at the start in which the learning rate rises; default: a twentieth of all")
        .option("dropout", "SHARE", "share of the outputs of the first two dense layers to drop", "0.5")
        .option(
            "keep", "SHARE",
            "average the trained weights with the original ones, which get this share (Wortsman et al. 2022)",
            "0")
        .option("train", "LAYERS",
                "layers to train: all, dense, conv, or head (the last dense layer); the others do not change",
                "all")
        .flag("no-augmentation",
              "show images unchanged, instead of mirroring half of them and cropping all at random")
        .option("seed", "N", "seed of subset, order, crops and dropout", "0");
    add_label_options(line);
    add_image_options(line);
    add_size_option(line);
    add_threads_option(line);
    line.option("memory", "MB",
                "memory for training: if a step's images do not fit at once, they are processed in parts; "
                "default: 80 % of what is available")
        .option("validate", "DATA",
                "other images, to measure the accuracy before and after; must not overlap with --data")
        .option("log", "FILE", "write a CSV line per step: loss, accuracy, learning rate, seconds")
        .option("checkpoint", "FILE", "file for continuing an interrupted run; default: OUTPUT.checkpoint")
        .option("checkpoint-every", "SECONDS", "how often to write the checkpoint; 0: only when interrupted",
                "300")
        .option("checkpoint-steps", "N", "write it also after every N steps")
        .flag("resume",
              "continue from the checkpoint, if there is one; the result is bit-identical to an "
              "uninterrupted run");
    line.example("vgg19 finetune pruned.safetensors -o tuned.safetensors --data cifar-10 --size 32")
        .example(
            "vgg19 finetune pruned.safetensors -o tuned.safetensors --data photos --subset 200 --train "
            "dense")
        .example(
            "vgg19 finetune vgg19.safetensors -o flowers.safetensors --data flowers/train --validate "
            "flowers/val --classes 17");
    return line;
}

constexpr std::size_t most_classes = 65'536;

bool is_number(const std::string& text) {
    return text.find_first_not_of("0123456789") == std::string::npos;
}

/// Unset without --classes. Its names may still be filled in from the data: name_classes().
std::optional<converter::NewHead> head_option(const CommandLine& line) {
    if (!line.given("classes")) {
        for (const char* option : {"head-epochs", "head-lr"}) {
            if (line.given(option)) {
                throw Error(ErrorKind::usage, "--" + std::string(option) + " is only for --classes");
            }
        }
        return std::nullopt;
    }
    converter::NewHead head;
    if (is_number(line.text("classes"))) {
        head.classes = line.whole_number("classes", 1, most_classes);
    } else {
        head.names = converter::read_class_names(line.text("classes"));
        head.classes = head.names.size();
    }
    if (line.given("head-epochs")) head.epochs = line.whole_number("head-epochs", 0, most_epochs);
    if (line.given("head-lr")) {
        head.learning_rate = line.number("head-lr", std::numeric_limits<double>::min(), largest_rate);
    }
    return head;
}

converter::FinetuneOptions finetune_options(const CommandLine& line) {
    converter::FinetuneOptions options;
    options.input_size = size_option(line);
    options.epochs = line.whole_number("epochs", 1, most_epochs);
    options.batch = line.whole_number("batch", 1, largest_batch);
    options.schedule = {.kind = converter::schedule_named(line.text("schedule")),
                        .learning_rate = line.number("lr", std::numeric_limits<double>::min(), largest_rate)};
    if (line.given("warmup")) options.schedule.warmup = line.whole_number("warmup", 0, most_steps);
    options.optimizer.kind = converter::optimizer_named(line.text("optimizer"));
    options.optimizer.weight_decay = line.number("weight-decay", 0, largest_rate);
    if (line.given("momentum")) {
        if (options.optimizer.kind != converter::OptimizerKind::sgd) {
            throw Error(ErrorKind::usage, "--momentum is only for --optimizer sgd");
        }
        options.optimizer.momentum = line.number("momentum", 0, below_one);
    }
    options.trained = converter::trained_layers_named(line.text("train"));
    options.dropout = line.number("dropout", 0, below_one);
    options.keep = line.number("keep", 0, below_one);
    options.augmentation = !line.given("no-augmentation");
    options.seed = line.whole_number("seed", 0, std::numeric_limits<std::size_t>::max());
    options.threads = threads_option(line);
    options.head = head_option(line);
    if (line.given("memory")) {
        options.memory_bytes = line.whole_number("memory", 1, most_megabytes) * 1'000'000;
    }
    return options;
}

converter::FinetuneFiles finetune_files(const CommandLine& line, const std::filesystem::path& input) {
    converter::FinetuneFiles files;
    files.output = line.required("output");
    files.checkpoint =
        line.given("checkpoint") ? line.text("checkpoint") : files.output.string() + ".checkpoint";
    files.checkpoint_seconds = line.number("checkpoint-every", 0, most_seconds);
    if (line.given("checkpoint-steps")) {
        files.checkpoint_steps = line.whole_number("checkpoint-steps", 1, most_steps);
    }
    files.resume = line.given("resume");
    const std::filesystem::path log = line.text("log");
    for (const std::filesystem::path& path : {files.output, files.checkpoint, log}) {
        if (path.empty()) continue;
        check_destination(path);
        model::require_other_file(input, path);
    }
    for (const std::filesystem::path& path : {files.output, files.checkpoint}) {
        if (path.lexically_normal() != log.lexically_normal()) continue;
        throw Error(ErrorKind::usage, "--log: expected a separate file, found " + log.string());
    }
    return files;
}

/// Labelled images, their classes, and a scan of their pictures.
struct LabelledData {
    NamedData named;
    converter::LabelMap labels;
    converter::PictureScan scan;

    converter::EvaluationImages images() const { return {named.data.get(), scan.items, labels}; }
};

// ---- classes ----

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

// ---- images ----

converter::TrainingImages training_images(const CommandLine& line, const LabelledData& labelled,
                                          std::uint64_t seed) {
    converter::TrainingImages training{labelled.images(), {{"data", base_name(line.text("data"))}}};
    if (line.given("label-map")) training.origin.emplace_back("label-map", base_name(line.text("label-map")));
    if (line.given("class-order")) training.origin.emplace_back("class-order", line.text("class-order"));
    if (line.given("no-exif")) training.origin.emplace_back("no-exif", true);
    if (line.given("subset")) {
        const std::size_t count = line.whole_number("subset", 1, most_images);
        training.origin.emplace_back("subset", std::uint64_t{count});
        training.images.items =
            converter::stratified_subset(*labelled.named.data, labelled.scan.items, count, seed);
    }
    return training;
}

/// Evaluates a model on the images of --validate.
class Validation {
  public:
    Validation(const CommandLine& line, LabelledData labelled) : labelled_(std::move(labelled)) {
        options_.set_input_size(size_option(line));
        options_.threads = threads_option(line);
        options_.batch = std::min(validation_batch, labelled_.scan.items.size());
    }

    converter::Accuracy run(const std::filesystem::path& model) const {
        ProgressBar bar("validating", ProgressUnit::items);
        Session session(model::map_model(model), options_);
        return converter::evaluate(session, labelled_.images(), nullptr, bar.callback()).total;
    }

  private:
    LabelledData labelled_;
    SessionOptions options_;
};

std::string top1_text(const converter::Accuracy& accuracy) {
    return fixed(100 * converter::share(accuracy.top1, accuracy.images), 2) + " %";
}

void train(const model::ModelFile& model, const converter::TrainingImages& images,
           const converter::FinetuneOptions& options, const converter::FinetuneFiles& files,
           const std::filesystem::path& log) {
    TrainingReport report(log);
    converter::TrainingObserver observer = report.observer();
    const InterruptGuard guard("\nvgg19 finetune: finishing this step, then writing the checkpoint\n");
    observer.should_stop = [] { return InterruptGuard::interrupted(); };
    converter::finetune(model, images, options, files, observer);
    if (const auto& last = report.last_step()) {
        std::cout << "last epoch: " << loss_text(last->epoch_loss, last->epoch_accuracy) << ", in training\n";
    }
}

}  // namespace

int finetune(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const std::filesystem::path input = line.argument("MODEL");
    const std::string data_path = line.required("data");
    converter::FinetuneOptions options = finetune_options(line);
    const converter::FinetuneFiles files = finetune_files(line, input);

    std::optional<Validation> validation;
    std::optional<converter::Accuracy> before;
    {
        const model::ModelFile model = model::ModelFile::open(input);
        model.require_classifier();
        const NamedData named =
            open_data("data", data_path, converter::DataUse::training, image_options(line));
        LabelledData labelled = {named, map_training_data(line, named, model, options.head), {}};
        std::optional<LabelledData> held_out;
        if (line.given("validate")) {
            const NamedData other = open_data("validate", line.text("validate"),
                                              converter::DataUse::evaluation, image_options(line));
            held_out = {other, map_held_out_data(line, other, model, options.head), {}};
        }
        converter::check_finetune(model, options, files);
        labelled.scan = scan_training_data(named, options.threads);
        if (held_out) {
            held_out->scan = scan_data(held_out->named, all_items(*held_out->named.data), options.threads);
            require_none_shared(named, labelled.scan, held_out->named, held_out->scan);
            validation.emplace(line, std::move(*held_out));
            if (!options.head) before = validation->run(input);
        }
        train(model, training_images(line, labelled, options.seed), options, files, line.text("log"));
    }
    if (validation) {
        const converter::Accuracy after = validation->run(files.output);
        std::cout << "top-1 of " << after.images
                  << " images: " << (before ? top1_text(*before) + " before, " : "") << top1_text(after)
                  << " after\n";
    }
    print_written(files.output);
    return exit_done;
}

}  // namespace vgg19::tools
