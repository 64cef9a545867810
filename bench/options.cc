#include "bench/options.h"

#include <algorithm>
#include <utility>

#include "converter/variants/recipes.h"
#include "tools/command_line/command_line.h"
#include "tools/command_line/option_groups.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using std::filesystem::path;

CommandLine declared(const std::string& program) {
    CommandLine line(
        "",
        "Measures the variants of VGG-19 side by side, in interleaved rounds, each in its own process.\n"
        "Without --weights, --real or --models, uses seeded weights, which are created once in the user's "
        "cache "
        "folder.",
        "", program);
    line.lenient();
    line.group("what is measured")
        .option(
            "weights", "FILE",
            "make the variants from this file: anything that `vgg19 convert` accepts, or a baseline model")
        .flag("real",
              "make the variants from torchvision's weights, once, in the cache folder, where "
              "script/fetch-weights puts the file (script/bench --real does both)")
        .option("models", "DIR", "measure the files VARIANT.safetensors in this folder")
        .list_option(
            "variants", "LIST",
            "only these, separated by commas: " + converter::recipe_ids(converter::recipes_without_ranks()))
        .option("size", "SIZE",
                "the input size for --tune, --worker, and variants without a fixed size (res160 has one): "
                "224, or height x width such as 224x320; default: the model's own")
        .option("image", "FILE", "classify this photograph instead of the bundled one");
    line.group("how it is measured");
    line.option("threads", "N",
                "the number of threads; default: as many as this process has CPUs. A list such as 1,2 adds a "
                "table of scaling: each variant with each number, in the same rounds; the other tables are "
                "of the first");
    line.option(
        "schedule-threads", "N",
        "divide the work as for so many threads, at least --threads, which run it: shows here what such "
        "a schedule costs. A list adds a table of scaling, as for --threads");
    add_isa_option(line);
    add_convolution_option(line);
    add_plan_option(line);
    line.option("batch", "N",
                "images per run, which are copies of one; times are per run. A list such as 1,8 adds a table "
                "of scaling, as for --threads",
                "1")
        .option("min-time", "SECONDS", "measure each variant, at each setting, for this long", "3")
        .flag(
            "tune",
            "instead: time every algorithm for each convolution of VGG-19, in FP32 and in INT8, and compare "
            "with the planner's estimates")
        .flag(
            "profile",
            "show the time of each layer and of its products, the shares of this machine's measured peaks of "
            "arithmetic and of each level of memory, and which limits (not in csv)");
    line.group("what comes out")
        .option("format", "FORMAT", "table, markdown, json or csv", "table")
        .flag("json", "the same as --format json")
        .option("out", "FILE", "write the report to this file, and the table to standard output")
        .option("baseline", "FILE",
                "compare with an earlier JSON report: exit with 3 if a variant's median, relative to the "
                "baseline variant's, has grown by more than the tolerance; the baseline's own median is "
                "compared only on the same machine")
        .option("tolerance", "RATIO", "for --baseline: 0.1 is ten per cent", "0.1")
        .option("peers", "MEASURE.json",
                "show the figures of other engines beside ours: a list of {\"engine\", \"min_ms\", "
                "\"median_ms\", \"ready_s\", \"peak_rss_mib\", \"top3\"}, from a run that measured them, one "
                "image a run; it may hold our variants too");
    line.group("for other programs")
        .option(
            "worker", "FILE",
            "run this model twice and print 'ready PEAK_RSS_MIB TOP1 TOP2 TOP3'; then, for each line 'N' "
            "on standard input, run it N times and print the seconds of each run on one line, and for a line "
            "'hash' a hash of the bits of the first image's logits")
        .option("input", "X.safetensors",
                "the worker's input: an F32 tensor \"input\", either (1,3,H,W), repeated to fill the batch, "
                "or (N,3,H,W) with N equal to the batch; default: the image")
        .list_option("outputs", "LIST",
                     "what the worker computes, instead of logits: names of layers such as "
                     "relu1_1,relu5_1,fc7; 'ready' then tells the channels of the last one with the largest "
                     "means, and the hash is of all of them")
        .flag("backward",
              "the worker also computes the gradient, with respect to the input, of the mean absolute "
              "differences of these outputs to half of their own values; 'ready' then tells where it is "
              "largest, and the hash is its own");
    line.example(program + " --weights vgg19.pth --image photo.jpg --format json --out report.json")
        .closing(
            "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 slower than --baseline, 5 bad "
            "model "
            "or image\n");
    return line;
}

[[noreturn]] void reject(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

std::optional<path> optional_path(const CommandLine& line, const std::string& flag) {
    if (!line.given(flag)) return std::nullopt;
    const std::string text = line.text(flag);
    if (text.empty()) reject("--" + flag + ": expected a path, found nothing");
    return path(text);
}

Format parsed_format(const std::string& name) {
    const std::optional<Format> format = format_from_name(name);
    if (!format) reject("--format: expected table, markdown, json or csv, found \"" + name + "\"");
    return *format;
}

/// Check before measuring, not afterwards.
void require_writable_place(const path& out) {
    if (std::filesystem::is_directory(out)) reject("--out: " + out.string() + " is a folder");
    const path folder = std::filesystem::absolute(out).parent_path();
    if (!std::filesystem::is_directory(folder)) reject("--out: there is no folder " + folder.string());
}

/// One number, or several that differ, separated by commas.
std::vector<std::size_t> numbers(const CommandLine& line, const std::string& flag, std::size_t most) {
    if (line.text(flag).find(',') == std::string::npos) return {line.whole_number(flag, 1, most)};
    std::vector<std::size_t> values = line.whole_numbers(flag, 1, most);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
            values.begin() + static_cast<std::ptrdiff_t>(i)) {
            reject("--" + flag + ": expected numbers that differ, found " + std::to_string(values[i]) +
                   " twice");
        }
    }
    return values;
}

void require_single_settings(const Options& options, const std::string& flag) {
    if (options.thread_counts.size() > 1) reject(flag + " takes one number of --threads, found several");
    if (options.schedules.size() > 1) reject(flag + " takes one number of --schedule-threads, found several");
    if (options.batches.size() > 1) reject(flag + " takes one --batch, found several");
}

void require_consistent(const Options& options) {
    if (options.worker) require_single_settings(options, "--worker");
    if (options.tune) require_single_settings(options, "--tune");
    if (options.tune && !options.schedules.empty()) {
        reject("--schedule-threads and --tune exclude each other");
    }
    if (options.peers && options.batch != 1) {
        reject(
            "--peers compares runs of one image: expected --batch 1 (or a list that starts with it), found " +
            std::to_string(options.batch));
    }
    for (const auto& [given, flag] :
         {std::pair{options.worker.has_value(), "--worker"}, {options.tune, "--tune"}}) {
        if (options.peers && given) reject(std::string("--peers and ") + flag + " exclude each other");
    }
    if (options.weights && options.models) reject("--weights and --models exclude each other");
    if (options.real && options.models) reject("--real and --models exclude each other");
    if (options.real && options.weights) reject("--real and --weights exclude each other");
    for (const auto& [given, flag] : {std::pair{options.input.has_value(), "--input"},
                                      {!options.outputs.empty(), "--outputs"},
                                      {options.backward, "--backward"}}) {
        if (!options.worker && given) reject(std::string(flag) + " belongs to --worker");
    }
    if (options.worker && options.tune) reject("--worker and --tune exclude each other");
    if (options.out) require_writable_place(*options.out);
}

template <class Value>
std::vector<Value> or_single(const std::vector<Value>& values, Value single) {
    return values.empty() ? std::vector{single} : values;
}

Options from_parsed(const CommandLine& line) {
    constexpr std::size_t most_images = 1024;
    constexpr double shortest = 0.001;
    constexpr double longest = 3600;
    constexpr double largest_tolerance = 100;
    line.no_arguments();
    Options options;
    options.weights = optional_path(line, "weights");
    options.models = optional_path(line, "models");
    options.real = line.given("real");
    options.variants = line.texts("variants");
    options.image = optional_path(line, "image");
    if (line.given("threads")) {
        const std::vector<std::size_t> counts = numbers(line, "threads", most_threads);
        options.thread_counts.assign(counts.begin(), counts.end());
        options.threads = options.thread_counts.front();
    }
    if (line.given("schedule-threads")) {
        const std::vector<std::size_t> counts = numbers(line, "schedule-threads", most_threads);
        options.schedules.assign(counts.begin(), counts.end());
        options.schedule_threads = options.schedules.front();
    }
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.plan_file = plan_file_option(line);
    options.batches = numbers(line, "batch", most_images);
    options.batch = options.batches.front();
    options.min_time_seconds = line.number("min-time", shortest, longest);
    options.format = line.given("json") ? Format::json : parsed_format(line.text("format"));
    if (line.given("json") && line.given("format") && line.text("format") != "json") {
        reject("--json and --format " + line.text("format") + " exclude each other");
    }
    options.out = optional_path(line, "out");
    options.profile = line.given("profile");
    options.tune = line.given("tune");
    options.baseline = optional_path(line, "baseline");
    options.peers = optional_path(line, "peers");
    options.tolerance = line.number("tolerance", 0, largest_tolerance);
    options.worker = optional_path(line, "worker");
    options.size = size_option(line);
    options.input = optional_path(line, "input");
    options.outputs = line.texts("outputs");
    options.backward = line.given("backward");
    require_consistent(options);
    return options;
}

}  // namespace

std::vector<Options> compared_settings(const Options& options) {
    std::vector<Options> settings;
    for (const int threads : or_single(options.thread_counts, options.threads)) {
        for (const int schedule : or_single(options.schedules, options.schedule_threads)) {
            for (const std::size_t batch : or_single(options.batches, options.batch)) {
                Options each = options;
                each.threads = threads;
                each.schedule_threads = schedule;
                each.batch = batch;
                settings.push_back(std::move(each));
            }
        }
    }
    return settings;
}

void require_schedules(const Options& options) {
    for (const Options& each : compared_settings(options)) {
        if (each.schedule_threads == 0 || each.schedule_threads >= each.threads) continue;
        reject("--schedule-threads: expected at least the number of --threads, " +
               std::to_string(each.threads) + ", found " + std::to_string(each.schedule_threads));
    }
}

SessionOptions session_options(const Options& options, MapSize input_size) {
    return {.threads = options.schedule_threads == 0 ? options.threads : options.schedule_threads,
            .input_height = input_size.height,
            .input_width = input_size.width,
            .batch = options.batch,
            .isa = options.isa,
            .convolution = options.convolution,
            .plan_file = options.plan_file,
            .outputs = options.outputs.empty() ? std::vector<std::string>{"logits"} : options.outputs,
            .gradients = options.backward};
}

std::optional<Options> parse_options(int argc, const char* const* argv, const std::string& program) {
    CommandLine line = declared(program);
    if (!line.parse(argc, argv)) return std::nullopt;
    return from_parsed(line);
}

}  // namespace vgg19::bench
