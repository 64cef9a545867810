#include "tools/finetune/options.h"

#include <limits>
#include <optional>
#include <string>

#include "converter/class_names.h"
#include "engine/model/model_access.h"
#include "tools/data_sets.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t most_epochs = 100'000;
constexpr std::size_t largest_batch = 65'536;
constexpr std::size_t most_megabytes = 1'000'000'000;
constexpr std::size_t most_steps = 1'000'000'000;
constexpr double largest_rate = 1000;
constexpr double most_seconds = 1e9;
constexpr double below_one = 1 - std::numeric_limits<double>::epsilon();
constexpr double highest_temperature = 1000;
constexpr double largest_weight = 1e6;

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

std::optional<converter::Distillation> distillation_option(const CommandLine& line) {
    if (!line.given("teacher")) {
        for (const char* option : {"temperature", "label-weight", "feature-weight"}) {
            if (line.given(option)) {
                throw Error(ErrorKind::usage, "--" + std::string(option) + " is only for --teacher");
            }
        }
        return std::nullopt;
    }
    converter::Distillation distillation{.teacher = model::map_model(line.text("teacher"))};
    model::file_of(distillation.teacher).require_classifier();
    if (line.given("temperature")) {
        distillation.temperature =
            line.number("temperature", std::numeric_limits<double>::min(), highest_temperature);
    }
    if (line.given("label-weight")) {
        distillation.label_weight = line.number("label-weight", 0, largest_weight);
    }
    if (line.given("feature-weight")) {
        distillation.feature_weight = line.number("feature-weight", 0, largest_weight);
    }
    return distillation;
}

double usual_rate(converter::OptimizerKind kind) {
    return kind == converter::OptimizerKind::relative_adam ? 1e-3 : 1e-4;
}

}  // namespace

converter::FinetuneOptions finetune_options(const CommandLine& line) {
    converter::FinetuneOptions options;
    options.input_size = size_option(line);
    options.epochs = line.whole_number("epochs", 1, most_epochs);
    options.batch = line.whole_number("batch", 1, largest_batch);
    options.schedule.kind = converter::schedule_named(line.text("schedule"));
    options.finds_rate = line.text("lr") == "auto";
    // A refitted network is near its teacher, and Adam's absolute steps would take it away from there.
    options.optimizer.kind =
        line.given("teacher") ? converter::OptimizerKind::relative_adam : converter::OptimizerKind::adam;
    if (line.given("optimizer")) options.optimizer.kind = converter::optimizer_named(line.text("optimizer"));
    options.schedule.learning_rate = usual_rate(options.optimizer.kind);
    if (line.given("lr") && !options.finds_rate) {
        options.schedule.learning_rate = line.number("lr", std::numeric_limits<double>::min(), largest_rate);
    }
    if (line.given("warmup")) options.schedule.warmup = line.whole_number("warmup", 0, most_steps);
    options.optimizer.weight_decay = line.number("weight-decay", 0, largest_rate);
    if (line.given("momentum")) {
        if (options.optimizer.kind != converter::OptimizerKind::sgd) {
            throw Error(ErrorKind::usage, "--momentum is only for --optimizer sgd");
        }
        options.optimizer.momentum = line.number("momentum", 0, below_one);
    }
    options.trained = converter::trained_layers_named(line.text("train"));
    options.distillation = distillation_option(line);
    const bool distils = options.distillation.has_value();
    options.dropout = distils ? 0 : 0.5;
    if (line.given("dropout")) options.dropout = line.number("dropout", 0, below_one);
    options.average = distils ? 0.5 : 0;
    if (line.given("average")) options.average = line.number("average", 0, 1);
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

CommandLine finetune_command_line() {
    CommandLine line(
        "finetune",
        std::string("Trains an FP32 model further on images, by Adam or SGD: with labels, by "
                    "cross-entropy over the model's\n"
                    "classes; with --teacher, by the answers of another model, which needs no "
                    "labels.\n"
                    "If the images of --hold-out or --validate are then predicted no better "
                    "than before, the step is\n"
                    "undone: OUTPUT gets the weights from before. A loss that is not finite is an error.\n"
                    "For other classes, --classes gives it a new last layer. Unreadable images "
                    "are left out and reported.\n\n") +
            labelled_data_help,
        "MODEL -o OUTPUT --data DATA");
    add_output_option(line);
    line.option("data", "DATA", "images to train on (required); labelled, unless there is a teacher")
        .option("teacher", "FILE",
                "distil: imitate this model of the same classes (FP32 or INT8), such as the one before prune")
        .option("temperature", "T", "with --teacher: the logits of both are divided by it; default: 2")
        .option("label-weight", "W",
                "with --teacher: the weight of the labels beside the teacher's, 1; 0: labels are not used; "
                "default: 0.5 for labelled images")
        .option("feature-weight", "W",
                "with --teacher: the weight of the outputs of the max-pools, compared with the teacher's by "
                "linear "
                "maps, as shares of their variance; default: 1")
        .option("hold-out", "K",
                "do not train on every K-th image of --data, but judge the result on them; 0: none; "
                "default: 10 with --teacher, else 0")
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
        .option("optimizer", "NAME",
                "adam; relative-adam, whose steps are shares of the weights they change; or sgd; default: "
                "relative-adam with --teacher, else adam")
        .option("lr", "RATE",
                "the highest learning rate, or auto: the best of four in short runs, by the loss on held-out "
                "images; default: 1e-3 for relative-adam, else 1e-4")
        .option("momentum", "M", "momentum of sgd; default: 0.9")
        .option("weight-decay", "W", "L2 weight decay; not for biases", "0")
        .option("schedule", "NAME",
                "learning rate schedule: constant, cosine (falls to 0), or step (a tenth after half of the "
                "steps, a hundredth after three quarters)",
                "cosine")
        .option("warmup", "STEPS",
                "steps at the start in which the learning rate rises; default: a twentieth of all")
        .option("dropout", "SHARE",
                "share of the outputs of the first two dense layers to drop; default: 0 with --teacher, else "
                "0.5")
        .option("average", "SHARE",
                "use the mean of the weights over this share of the steps, at the end; default: 0.5 with "
                "--teacher, else 0")
        .option(
            "keep", "SHARE",
            "average the trained weights with the original ones, which get this share (Wortsman et al. 2022)",
            "0")
        .option("train", "LAYERS",
                "layers to train: all, dense, conv, or head (the last dense layer); the others do not change",
                "all")
        .flag("no-augmentation",
              "show images unchanged, instead of mirroring half of them and cropping all at random (with "
              "--teacher only those that have a margin)")
        .option("seed", "N", "seed of subset, order, crops and dropout", "0");
    add_label_options(line);
    add_image_options(line);
    add_size_option(line);
    add_threads_option(line);
    line.option("memory", "MB",
                "memory for training: if a step's images do not fit at once, they are processed in parts; "
                "default: 80 % of what is available")
        .option("validate", "DATA",
                "other images, to measure the accuracy before and after; must not overlap with --data. "
                "Without held-out images of --data, these decide whether the step is undone")
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
            "vgg19 finetune pruned.safetensors -o tuned.safetensors --data photos --teacher "
            "vgg19.safetensors")
        .example(
            "vgg19 finetune pruned.safetensors -o tuned.safetensors --data photos --subset 200 --train "
            "dense")
        .example(
            "vgg19 finetune vgg19.safetensors -o flowers.safetensors --data flowers/train --validate "
            "flowers/val --classes 17");
    return line;
}

}  // namespace vgg19::tools
