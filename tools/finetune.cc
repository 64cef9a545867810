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

#include "converter/data/data_set.h"
#include "converter/evaluate/evaluate.h"
#include "converter/evaluate/label_map.h"
#include "converter/finetune/training_data.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/labelled_data_help.h"
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
                                 "model's classes, by Adam or SGD.\n\n") +
                         labelled_data_help,
                     "MODEL -o OUTPUT --data DATA");
    line.option("o,output", "FILE", "the model file to write (required)")
        .option("data", "DATA", "labelled images (required)")
        .option("label-map", "FILE", label_map_option_help)
        .option("subset", "N", "train on N images, drawn at random so that classes keep their shares")
        .option("epochs", "N", "how often each image is shown", "1")
        .option("batch", "N", "images a step", "32")
        .option("optimizer", "NAME", "adam or sgd", "adam")
        .option("lr", "RATE", "the learning rate, its highest", "1e-4")
        .option("momentum", "M", "of sgd; default: 0.9")
        .option("weight-decay", "W", "L2, on weights and not on biases", "0")
        .option("schedule", "NAME",
                "of the learning rate: constant, cosine (falls to 0), or step (a tenth after half of the "
                "steps, a hundredth after three quarters)",
                "cosine")
        .option("warmup", "STEPS",
                "in which the learning rate rises at the start; default: a twentieth of all")
        .option("dropout", "SHARE", "of the outputs of the first two dense layers", "0.5")
        .option("keep", "SHARE",
                "the result's weights lie between the trained ones and those before: this share of the way "
                "back (Wortsman et al. 2022)",
                "0")
        .option("train", "LAYERS", "all, dense or conv; the others stay as they are", "all")
        .flag("no-augmentation",
              "show images as they are, instead of half of them mirrored and all cropped at random")
        .option("seed", "N", "what subset, order, crops and dropout follow from", "0");
    add_size_option(line);
    add_threads_option(line);
    line.option("memory", "MB",
                "how much training may take: if a step's images do not fit at once, they go through the "
                "network in parts; default: 80 % of what is available")
        .option("validate", "DATA", "other images, to say how often the model is right before and after")
        .option("log", "FILE", "write a line a step: loss, accuracy, learning rate, seconds (CSV)")
        .option("checkpoint", "FILE", "what an interrupted run goes on from; default: OUTPUT.checkpoint")
        .option("checkpoint-every", "SECONDS", "how often it is written; 0: when interrupted only", "300")
        .option("checkpoint-steps", "N", "also after every N steps")
        .flag("resume", "go on from the checkpoint, if there is one: the result is the same to the bit");
    line.example("vgg19 finetune pruned.safetensors -o tuned.safetensors --data cifar-10 --size 32")
        .example(
            "vgg19 finetune pruned.safetensors -o tuned.safetensors --data photos --subset 200 --train "
            "dense");
    return line;
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
            throw Error(ErrorKind::usage, "--momentum goes with --optimizer sgd alone");
        }
        options.optimizer.momentum = line.number("momentum", 0, below_one);
    }
    options.trained = converter::trained_layers_named(line.text("train"));
    options.dropout = line.number("dropout", 0, below_one);
    options.keep = line.number("keep", 0, below_one);
    options.augmentation = !line.given("no-augmentation");
    options.seed = line.whole_number("seed", 0, std::numeric_limits<std::size_t>::max());
    options.threads = threads_option(line);
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
        throw Error(ErrorKind::usage, "--log: expected a file of its own, found " + log.string());
    }
    return files;
}

/// What a path is called without the folders that it is in.
std::string base_name(const std::filesystem::path& path) {
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

/// Labelled images, and the classes that they are of.
struct LabelledData {
    std::unique_ptr<converter::DataSet> data;
    converter::EvaluationImages images;
};

LabelledData open_labelled(const std::string& path, const CommandLine& line, const model::ModelFile& model) {
    LabelledData labelled{converter::open_data_set(path), {}};
    labelled.images = {.data = labelled.data.get(),
                       .items = converter::spread_items(labelled.data->size(), most_images),
                       .labels = converter::label_map(*labelled.data, path, model.network().classes(),
                                                      line.text("label-map"))};
    return labelled;
}

converter::TrainingImages training_images(const CommandLine& line, const LabelledData& labelled,
                                          std::uint64_t seed) {
    converter::TrainingImages training{labelled.images, {{"data", base_name(line.text("data"))}}};
    if (line.given("label-map")) training.origin.emplace_back("label-map", base_name(line.text("label-map")));
    if (line.given("subset")) {
        const std::size_t count = line.whole_number("subset", 1, most_images);
        training.origin.emplace_back("subset", std::uint64_t{count});
        training.images.items = converter::stratified_subset(*labelled.data, count, seed);
    }
    return training;
}

/// How often a model is right on the images of --validate.
class Validation {
  public:
    Validation(const CommandLine& line, const model::ModelFile& model)
        : labelled_(open_labelled(line.text("validate"), line, model)) {
        options_.input_size = size_option(line);
        options_.threads = threads_option(line);
        options_.batch = std::min(validation_batch, labelled_.images.items.size());
    }

    converter::Accuracy run(const std::filesystem::path& model) const {
        ProgressBar bar("validating", ProgressUnit::items);
        Session session(Model::open(model), options_);
        return converter::evaluate(session, labelled_.images, nullptr, bar.callback()).total;
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
    const converter::FinetuneOptions options = finetune_options(line);
    const converter::FinetuneFiles files = finetune_files(line, input);

    std::optional<Validation> validation;
    std::optional<converter::Accuracy> before;
    {
        const model::ModelFile model = model::ModelFile::open(input);
        const LabelledData labelled = open_labelled(data_path, line, model);
        const converter::TrainingImages images = training_images(line, labelled, options.seed);
        converter::check_finetune(model, options, files);
        if (line.given("validate")) {
            validation.emplace(line, model);
            before = validation->run(input);
        }
        train(model, images, options, files, line.text("log"));
    }
    if (validation) {
        const converter::Accuracy after = validation->run(files.output);
        std::cout << "top-1 of " << after.images << " images: " << top1_text(*before) << " before, "
                  << top1_text(after) << " after\n";
    }
    print_written(files.output);
    return exit_done;
}

}  // namespace vgg19::tools
