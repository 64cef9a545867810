#include "bench/options.h"

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
        "Without --weights or --models, uses seeded weights, which are created once in the user's cache "
        "folder.",
        "", program);
    line.lenient();
    line.group("what is measured")
        .option(
            "weights", "FILE",
            "make the variants from this file: anything that `vgg19 convert` accepts, or a baseline model")
        .option("models", "DIR", "measure the files VARIANT.safetensors in this folder")
        .list_option(
            "variants", "LIST",
            "only these, separated by commas: " + converter::recipe_ids(converter::recipes_without_ranks()))
        .option("size", "SIZE",
                "the input size for --tune, --worker, and variants without a fixed size (res160 has one): "
                "224, or height x width such as 224x320; default: the model's own")
        .option("image", "FILE", "classify this photograph instead of the bundled one");
    line.group("how it is measured");
    add_cpu_options(line);
    add_convolution_option(line);
    line.option("batch", "N", "images per run, which are copies of one; times are per run", "1")
        .option("min-time", "SECONDS", "measure each variant for this long", "3")
        .flag("tune",
              "instead: time every algorithm for each convolution of VGG-19, and compare with the planner's "
              "estimates")
        .flag("profile",
              "show time, GFLOP/s and GB/s of each layer, and this machine's measured peaks (not in csv)");
    line.group("what comes out")
        .option("format", "FORMAT", "table, markdown, json or csv", "table")
        .option("out", "FILE", "write the report to this file, and the table to standard output")
        .option("baseline", "FILE",
                "compare with an earlier JSON report: exit with 3 if a variant's median, relative to the "
                "baseline variant's, has grown by more than the tolerance; the baseline's own median is "
                "compared only on the same machine")
        .option("tolerance", "RATIO", "for --baseline: 0.1 is ten per cent", "0.1");
    line.group("for other programs")
        .option("worker", "FILE",
                "run this model twice and print 'ready PEAK_RSS_MIB TOP1 TOP2 TOP3'; then, for each line 'N' "
                "on standard input, run it N times and print the seconds of each run on one line")
        .option("input", "X.safetensors",
                "the worker's input: an F32 tensor \"input\", either (1,3,H,W), repeated to fill the batch, "
                "or (N,3,H,W) with N equal to the batch; default: the image");
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

void require_consistent(const Options& options) {
    if (options.weights && options.models) reject("--weights and --models exclude each other");
    if (!options.worker && options.input) reject("--input belongs to --worker");
    if (options.worker && options.tune) reject("--worker and --tune exclude each other");
    if (options.out) require_writable_place(*options.out);
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
    options.variants = line.texts("variants");
    options.image = optional_path(line, "image");
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.batch = line.whole_number("batch", 1, most_images);
    options.min_time_seconds = line.number("min-time", shortest, longest);
    options.format = parsed_format(line.text("format"));
    options.out = optional_path(line, "out");
    options.profile = line.given("profile");
    options.tune = line.given("tune");
    options.baseline = optional_path(line, "baseline");
    options.tolerance = line.number("tolerance", 0, largest_tolerance);
    options.worker = optional_path(line, "worker");
    options.size = size_option(line);
    options.input = optional_path(line, "input");
    require_consistent(options);
    return options;
}

}  // namespace

SessionOptions session_options(const Options& options, MapSize input_size) {
    return {.threads = options.threads,
            .input_height = input_size.height,
            .input_width = input_size.width,
            .batch = options.batch,
            .isa = options.isa,
            .convolution = options.convolution};
}

std::optional<Options> parse_options(int argc, const char* const* argv, const std::string& program) {
    CommandLine line = declared(program);
    if (!line.parse(argc, argv)) return std::nullopt;
    return from_parsed(line);
}

}  // namespace vgg19::bench
