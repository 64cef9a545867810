#include "bench/options.h"

#include <charconv>
#include <cxxopts.hpp>

#include "converter/variants/recipes.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

using std::filesystem::path;

cxxopts::Options declared_options(const std::string& program) {
    cxxopts::Options options(
        program,
        "Measures the variants of VGG-19 side by side, in interleaved rounds, each in a process of its own.\n"
        "Without --weights or --models it makes seeded weights, once, in the user's cache folder.\n");
    options.add_options("what is measured")(
        "weights",
        "make the variants from this file: anything that `vgg19 convert` takes, or a baseline model",
        cxxopts::value<std::string>(),
        "FILE")("models", "measure the files VARIANT.safetensors of this folder",
                cxxopts::value<std::string>(), "DIR")(
        "variants",
        "only these, separated by commas: " + converter::recipe_ids(converter::recipes_without_ranks()),
        cxxopts::value<std::vector<std::string>>(),
        "LIST")("size",
                "the input size of variants that have none of their own (res160), of --tune and of --worker; "
                "the model's own, unless given",
                cxxopts::value<std::string>(), "N")("image", "classify this photograph, not the bundled one",
                                                    cxxopts::value<std::string>(), "FILE");
    options.add_options("how it is measured")("threads",
                                              "as many as the CPUs that this process may use, unless given",
                                              cxxopts::value<std::string>(), "N")(
        "isa", "instruction set, one of sysinfo's; the best that this CPU has, unless given",
        cxxopts::value<std::string>(),
        "NAME")("conv",
                "convolutions: winograd (our own kernels), direct (ours for INT8), onednn, or auto (for each "
                "layer the one that should be "
                "faster)",
                cxxopts::value<std::string>()->default_value("auto"),
                "NAME")("batch", "images a run, copies of one; times are of a run",
                        cxxopts::value<std::string>()->default_value("1"),
                        "N")("min-time", "measure each variant for this long",
                             cxxopts::value<std::string>()->default_value("3"), "SECONDS")(
        "tune",
        "instead: time every way to compute each convolution of VGG-19, beside what the planner "
        "expects of it")("profile",
                         "time, GFLOP/s and GB/s of each layer, beside this machine's measured peaks "
                         "(not in csv)");
    options.add_options("what comes out")("format", "table, markdown, json or csv",
                                          cxxopts::value<std::string>()->default_value("table"), "FORMAT")(
        "out", "write the report to this file, and the table to standard output",
        cxxopts::value<std::string>(), "FILE")(
        "baseline",
        "an earlier report (json): exit with 3 when a variant's median over the baseline's has grown by more "
        "than the tolerance; the baseline's own median is compared on the same machine only",
        cxxopts::value<std::string>(), "FILE")("tolerance", "for --baseline: 0.1 is ten per cent",
                                               cxxopts::value<std::string>()->default_value("0.1"),
                                               "RATIO")("h,help", "print this");
    options.add_options("for other programs")(
        "worker",
        "run this model twice, print 'ready PEAK_RSS_MIB TOP1 TOP2 TOP3', then for each line 'N' on standard "
        "input run it N times and print the seconds of each on one line",
        cxxopts::value<std::string>(), "FILE")(
        "input",
        "the worker's input: tensor \"input\" in F32, (1,3,S,S), which is repeated to fill a batch, or "
        "(N,3,S,S) with the batch's N; the image, unless given",
        cxxopts::value<std::string>(), "X.safetensors");
    return options;
}

[[noreturn]] void reject(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

std::optional<path> optional_path(const cxxopts::ParseResult& parsed, const std::string& flag) {
    if (parsed.count(flag) == 0) return std::nullopt;
    const auto text = parsed[flag].as<std::string>();
    if (text.empty()) reject("--" + flag + ": expected a path, found nothing");
    return path(text);
}

/// cxxopts could convert it too, but would not name the flag in its message.
template <class Number>
Number number(const cxxopts::ParseResult& parsed, const std::string& flag) {
    const auto text = parsed[flag].as<std::string>();
    Number value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size()) {
        reject("--" + flag + ": expected a number, found \"" + text + "\"");
    }
    return value;
}

void require_range(const std::string& flag, double value, double low, double high) {
    if (value >= low && value <= high) return;
    reject("--" + flag + ": expected " + fixed(low, 2) + " to " + fixed(high, 2) + ", found " +
           fixed(value, 2));
}

Format parsed_format(const std::string& name) {
    const std::optional<Format> format = format_from_name(name);
    if (!format) reject("--format: expected table, markdown, json or csv, found \"" + name + "\"");
    return *format;
}

/// Found out before anything is measured, not after.
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
    require_range("batch", static_cast<double>(options.batch), 1, 1024);
    require_range("min-time", options.min_time_seconds, 0.001, 3600);
    require_range("tolerance", options.tolerance, 0, 100);
}

Options from_parsed(const cxxopts::ParseResult& parsed) {
    if (!parsed.unmatched().empty()) reject("unexpected argument \"" + parsed.unmatched().front() + "\"");
    Options options;
    options.weights = optional_path(parsed, "weights");
    options.models = optional_path(parsed, "models");
    if (parsed.count("variants") != 0) options.variants = parsed["variants"].as<std::vector<std::string>>();
    options.image = optional_path(parsed, "image");
    if (parsed.count("threads") != 0) {
        options.threads = number<int>(parsed, "threads");
        require_range("threads", options.threads, 1, 1024);
    }
    if (parsed.count("isa") != 0) options.isa = parsed["isa"].as<std::string>();
    options.convolution = parsed["conv"].as<std::string>();
    options.batch = number<std::size_t>(parsed, "batch");
    options.min_time_seconds = number<double>(parsed, "min-time");
    options.format = parsed_format(parsed["format"].as<std::string>());
    options.out = optional_path(parsed, "out");
    options.profile = parsed.count("profile") != 0;
    options.tune = parsed.count("tune") != 0;
    options.baseline = optional_path(parsed, "baseline");
    options.tolerance = number<double>(parsed, "tolerance");
    options.worker = optional_path(parsed, "worker");
    if (parsed.count("size") != 0) options.size = number<std::size_t>(parsed, "size");
    options.input = optional_path(parsed, "input");
    require_consistent(options);
    return options;
}

}  // namespace

SessionOptions session_options(const Options& options, std::size_t input_size) {
    return {.threads = options.threads,
            .input_size = input_size,
            .batch = options.batch,
            .isa = options.isa,
            .convolution = options.convolution};
}

Options parse_options(int argc, const char* const* argv) {
    try {
        cxxopts::Options declared = declared_options("");
        const cxxopts::ParseResult parsed = declared.parse(argc, argv);
        if (parsed.count("help") != 0) return {.help = true};
        return from_parsed(parsed);
    } catch (const cxxopts::exceptions::exception& error) {
        throw Error(ErrorKind::usage, error.what());
    }
}

std::string help_text(const std::string& program) {
    return declared_options(program).help() + "\nExample: " + program +
           " --weights vgg19.pth --image photo.jpg --format json --out report.json\n"
           "Exit codes: 0 done, 1 failed while running, 2 wrong usage, 3 slower than --baseline, 5 bad model "
           "or image\n";
}

}  // namespace vgg19::bench
