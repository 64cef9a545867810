#include "tools/compress/options.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>

#include "engine/model/foreign_text.h"
#include "engine/model/map_size.h"
#include "tools/data_sets.h"
#include "tools/pipeline/work_folder.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t most_images = 1'000'000'000;
constexpr std::size_t most_epochs = 100'000;
constexpr std::size_t largest_hold_out = 1000;
constexpr std::size_t most_models = 10'000;
constexpr double most_points = 100;
constexpr double most_ms = 1e6;
constexpr double most_mb = 1e6;
constexpr double most_minutes = 1e5;
constexpr double most_seconds = 3600;

std::vector<std::string> sizes_option(const CommandLine& line) {
    if (!line.given("size")) return {""};
    std::vector<std::string> sizes;
    std::istringstream list(line.text("size"));
    for (std::string size; std::getline(list, size, ',');) {
        model::input_size_option("size", size);
        sizes.push_back(size);
    }
    for (std::size_t i = 1; i < sizes.size(); ++i) {
        const std::size_t before = model::parse_map_size(sizes[i - 1]).value_or(MapSize()).pixels();
        if (model::parse_map_size(sizes[i]).value_or(MapSize()).pixels() < before) continue;
        throw Error(ErrorKind::usage, "--size: expected sizes from large to small, found " + sizes[i] +
                                          " after " + sizes[i - 1]);
    }
    return sizes;
}

std::optional<double> limit_option(const CommandLine& line, const char* name, double most) {
    if (!line.given(name)) return std::nullopt;
    return line.number(name, std::numeric_limits<double>::min(), most);
}

Promise promise_option(const CommandLine& line) {
    return {.max_drop = line.number("max-drop", 0.001, most_points) / 100,
            .max_ms = limit_option(line, "max-ms", most_ms),
            .max_mb = limit_option(line, "max-mb", most_mb)};
}

/// A step is a command and what it is done for; how many there will be is not known beforehand.
void require_step(const std::string& step) {
    const std::string command = step.substr(0, step.find(' '));
    if (step == "convert" || step == "bench") return;
    if (command != step && (command == "judge" || command == "test" || makes_models(command))) return;
    throw Error(ErrorKind::usage,
                "--until: expected a step such as 'prune 2', 'judge 1', 'test baseline' or "
                "bench, found " +
                    model::in_quotes(step));
}

}  // namespace

CommandLine compress_command_line() {
    CommandLine line(
        "compress",
        "Searches for the smallest and fastest model whose accuracy stays within a promise: prunes, trains "
        "towards the\n"
        "original, and makes INT8 models, step by step, and judges each on images that are held out of "
        "training. At the\n"
        "end the best are judged on --test, in an order fixed before, and none is said to keep --max-drop "
        "unless the 95 %\n"
        "upper bound of its drop does. Writes these models, report.html and report.json into DIR, and "
        "records "
        "finished\n"
        "steps there: the same command continues an interrupted search. If no model keeps the promise, the "
        "report shows how\n"
        "near they come, and the exit code is 1, as after a failure.\n\n" +
            std::string(labelled_data_help),
        "WEIGHTS --data DATA --test DATA -o DIR");
    line.option("o,output", "DIR", "folder for models and reports; created if missing (required)")
        .option("data", "DATA", "labelled images to train, calibrate and choose with (required)")
        .option("test", "DATA", "labelled images to judge the results with; must not overlap with --data")
        .option("max-drop", "POINTS", "percentage points of top-1 that may be lost", "1")
        .option("max-ms", "MS", "the longest time for one image")
        .option("max-mb", "MB", "the largest file, in 10^6 bytes");
    add_label_options(line);
    add_image_options(line);
    line.option("size", "LIST",
                "the input's size and, if it may be smaller, other sizes from large to small: 224,192,160; "
                "default: the model's own")
        .option("bench-size", "SIZE", "the input's size for times; default: the size that is judged")
        .option("hold-out", "K", "every K-th image of --data is only used to choose, never to train", "10")
        .option("epochs", "N", "epochs of each training; default: that of vgg19 finetune")
        .option("seed", "N", "seed of training", "0")
        .option("test-images", "N",
                "number of images to judge with, taken at equal distances from --test; default: all")
        .option("budget", "MINUTES", "start no step that is expected to end later", "45");
    line.option("models", "N", "make at most N models; default: as many as the budget allows");
    add_threads_option(line);
    line.option("min-time", "SECONDS", "time each model for this long at the end; default: 3")
        .option("recipe", "STAGES",
                "no search: make, judge and time the model of this recipe, as the report shows it: 'prune "
                "--target-macs 0.5 | finetune | quantize --scope all'")
        .option("until", "STEP", "stop after this step, such as 'prune 2'")
        .flag("dry-run", "print the commands that are known beforehand and run none")
        .example("vgg19 compress vgg19.safetensors --data train --test test -o out --max-drop 1 --max-ms 10")
        .example(
            "vgg19 compress vgg19.pth --data cifar-10/data_batch_1.bin --test cifar-10/test_batch.bin -o out "
            "--size 32 --bench-size 224");
    return line;
}

CompressOptions compress_options(const CommandLine& line) {
    CompressOptions options;
    options.weights = line.argument("WEIGHTS");
    options.data = line.required("data");
    options.test = line.required("test");
    options.folder = line.required("output");
    options.promise = promise_option(line);
    options.sizes = sizes_option(line);
    options.bench_size = checked_size(line, "bench-size");
    if (!options.bench_size.empty() && options.sizes.size() > 1) {
        throw Error(
            ErrorKind::usage,
            "--bench-size and several sizes of --size exclude each other: each is timed as it is judged");
    }
    options.reading = data_options_of(line);
    options.hold_out = line.whole_number("hold-out", 2, largest_hold_out);
    options.epochs = checked_whole(line, "epochs", 1, most_epochs);
    line.whole_number("seed", 0, std::numeric_limits<std::uint32_t>::max());
    options.seed = line.text("seed");
    options.threads = checked_whole(line, "threads", 1, most_threads);
    options.test_images = checked_whole(line, "test-images", 1, most_images);
    options.min_time = checked_number(line, "min-time", 0.001, most_seconds);
    options.budget_seconds = 60 * line.number("budget", 0, most_minutes);
    if (line.given("models")) options.most_models = line.whole_number("models", 1, most_models);
    if (line.given("until")) require_step(line.text("until"));
    for (const char* option : {"epochs", "seed"}) require_not_both(line, "recipe", option);
    if (line.given("recipe")) options.recipe = parse_recipe(line.text("recipe"));
    return options;
}

}  // namespace vgg19::tools
