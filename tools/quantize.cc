// vgg19 quantize
#include "converter/quantize/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/option_names.h"
#include "converter/quantize/sensitivity.h"
#include "converter/rounding/bit_choice.h"
#include "converter/rounding/rounding.h"
#include "engine/model/model_file.h"
#include "kernels/common/parallel.h"
#include "tools/command.h"
#include "tools/data_sets.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t most_images = 1'000'000;

/// Options that are meaningless without calibration.
constexpr std::array full_scope_options = {
    "calib",       "images",         "range",           "size",
    "keep-fp32",   "no-winograd",    "no-equalization", "no-bias-correction",
    "sensitivity", "dry-run",        "threads",         "isa",
    "no-exif",     "max-megapixels", "weight-bits",     "rounding",
    "target-mb",   "hold-out"};

CommandLine command_line() {
    CommandLine line(
        "quantize",
        "Gives a model INT8 weights, symmetric, with a scale per output channel.\n"
        "--scope dense: only the dense layers, whose inputs are quantised at run time. With --dense int4 the "
        "inputs\n"
        "stay FP32, and the weights become INT4, with a scale per input and 32 neighbouring outputs.\n"
        "--scope all: also all convolutions except the first. The range of their inputs is measured on "
        "--calib DATA:\n"
        "a folder of images (or of one folder per class), or CIFAR-10's binary files; in a folder of those,\n"
        "data_batch_*.bin. Unreadable images are left out and reported.",
        "MODEL -o OUTPUT");
    line.option("o,output", "FILE", "the model file to write (required, except with --dry-run)");
    add_pack_option(line);
    line.option("scope", "LAYERS", "which layers: dense or all", "dense")
        .option("dense", "TYPE", "type of dense weights: int8, or int4 (about half the size)", "int8")
        .option("calib", "DATA", "the images to calibrate with (required for --scope all)")
        .option("n,images", "N", "the number of images, taken at equal distances from the whole set", "128");
    add_hold_out_option(line);
    add_size_option(line);
    line.option("range", "NAME",
                "which input maps to the largest 8-bit value: max (the largest observed), percentile (99.99 "
                "%), or mse (the one with the least squared error)",
                "mse")
        .option(
            "rounding", "RULE",
            "how weights become integers: nearest, or error: so that on the calibration images each layer's "
            "output changes least (slower)",
            "nearest")
        .option("weight-bits", "LIST",
                "bits of INT8 weights, 2 to 8, of all layers and of some, such as 5,features.2=8. They stay "
                "INT8 in the file and run as fast; fewer bits make a packed file smaller",
                "8")
        .option("target-mb", "MB",
                "choose the bits of each INT8 layer so that its weights are expected to take, packed "
                "(--pack), at "
                "most this many million bytes in all, and the logits change least; bits that --weight-bits "
                "gives a layer stay")
        .option("keep-fp32", "LIST", "layers that stay FP32, such as features.2,classifier.6")
        .option("no-winograd", "LIST",
                "convolutions that must not use Winograd, such as features.2,features.5; or all")
        .flag("no-equalization", "do not equalise the ranges of channels between neighbouring convolutions")
        .flag("no-bias-correction", "do not correct biases for the rounding of weights")
        .option("sensitivity", "FILE",
                "also run each layer alone in INT8 on the same images, and write its effect on the logits as "
                "a tab-separated table, the worst first")
        .flag("dry-run", "print layers, scales and errors, and write no model");
    add_image_options(line);
    add_cpu_options(line);
    line.example("vgg19 quantize vgg19.safetensors -o vgg19-int8.safetensors --scope dense")
        .example(
            "vgg19 quantize vgg19.safetensors -o int8-full.safetensors --scope all --calib photos -n 256");
    return line;
}

/// Comma-separated names.
std::vector<std::string> names_option(const CommandLine& line, const std::string& option) {
    std::vector<std::string> names;
    if (!line.given(option)) return names;
    const std::string list = line.text(option);
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        names.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

converter::FullOptions full_options(const CommandLine& line) {
    const int threads = threads_option(line);
    converter::FullOptions options;
    options.convolutions = {.range = converter::range_named(line.text("range")),
                            .bias_correction = !line.given("no-bias-correction"),
                            .threads = threads > 0 ? threads : kernels::available_cpus()};
    options.dense = converter::dense_type_named(line.text("dense"));
    options.rounding = converter::rounding_named(line.text("rounding"));
    options.weight_bits = converter::WeightBits::parse(line.text("weight-bits"));
    options.keep_fp32 = names_option(line, "keep-fp32");
    options.all_direct = line.text("no-winograd") == "all";
    if (!options.all_direct) options.no_winograd = names_option(line, "no-winograd");
    return options;
}

/// The lineage entry: the options that produced the model.
std::string lineage_step(const CommandLine& line, const converter::CalibrationImages& images,
                         const converter::FullOptions& options) {
    return converter::full_step(options,
                                {.calibration = converter::calibration_text(line.text("calib"), images),
                                 .equalized = !line.given("no-equalization"),
                                 .exif = !line.given("no-exif")});
}

void print_table(const converter::FullQuantization& quantization) {
    Table table({"layer", "weights", "input scale", "clipped %", "direct error %", "winograd error %",
                 "winograd f4x4 error %", "runs"});
    for (const converter::QuantizedConvolution& layer : quantization.convolutions) {
        table.add({layer.name, joined(layer.shape, "×"), fixed(static_cast<double>(layer.input_scale), 6),
                   fixed(100 * layer.clipped, 4), fixed(100 * layer.error.direct, 2),
                   fixed(100 * layer.error.winograd, 2), fixed(100 * layer.error.winograd_f4x4, 2),
                   layer.winograd.f2x2 || layer.winograd.f4x4 ? "winograd or direct" : "direct"});
    }
    for (const converter::QuantizedDense& dense : quantization.dense_layers) {
        const bool int8 = std::holds_alternative<converter::QuantizedWeights>(dense.weights);
        table.add({dense.layer.name, joined({dense.layer.outputs, dense.layer.inputs}, "×"),
                   int8 ? "at run time" : "none", "", "", "", "", int8 ? "dense" : "dense, INT4 weights"});
    }
    std::cout
        << table
        << "\nErrors are relative L2 errors of the layer's output on tiles of the calibration images.\n";
}

void print_bits(const converter::BitChoice& choice) {
    Table table({"layer", "bits", "expected logit error %", "packed MB"});
    for (const converter::LayerBits& layer : choice.layers) {
        table.add({layer.layer, std::to_string(layer.bits), fixed(100 * layer.error, 3),
                   fixed(static_cast<double>(layer.bytes) / 1e6, 3)});
    }
    std::cout << '\n'
              << table << "\nExpected of all: logit error " << fixed(100 * choice.error, 2) << " %, "
              << fixed(static_cast<double>(choice.bytes) / 1e6, 2) << " MB of packed weights.\n";
}

void print_rounding(const std::vector<converter::LayerRounding>& layers) {
    if (layers.empty()) return;
    Table table({"layer", "nearest error %", "chosen error %", "damping"});
    for (const converter::LayerRounding& layer : layers) {
        table.add({layer.layer, fixed(100 * std::sqrt(layer.nearest), 2),
                   fixed(100 * std::sqrt(layer.chosen), 2),
                   layer.damping > 0 ? fixed(layer.damping, 3) : "nearest stays"});
    }
    std::cout << '\n'
              << table
              << "\nErrors are relative L2 errors of the layer's output before the ReLU on the calibration "
                 "images\nthat are held out, with all layers before it quantised.\n";
}

void require_no_full_options(const CommandLine& line) {
    for (const char* option : full_scope_options) {
        if (line.given(option)) {
            throw Error(ErrorKind::usage, "--" + std::string(option) + " is only for --scope all");
        }
    }
}

int quantize_dense_layers(const CommandLine& line) {
    const std::filesystem::path input = line.argument("MODEL");
    const std::filesystem::path output = line.required("output");
    require_no_full_options(line);
    const converter::DenseType type = converter::dense_type_named(line.text("dense"));
    check_destination(output);
    model::require_other_file(input, output);
    {
        const model::ModelFile model = model::ModelFile::open(input);
        ProgressBar bar("quantising", ProgressUnit::bytes);
        converter::quantize_dense(model, {output, line.given("pack")}, type, bar.callback());
    }
    print_written(output);
    return exit_done;
}

/// The output files of --scope all; "" for those not wanted.
struct Destinations {
    std::filesystem::path model;
    std::filesystem::path sensitivity;
};

Destinations destinations(const CommandLine& line, const std::filesystem::path& input) {
    Destinations to;
    to.model = line.given("dry-run") ? line.text("output") : line.required("output");
    to.sensitivity = line.text("sensitivity");
    for (const std::filesystem::path& output : {to.model, to.sensitivity}) {
        if (output.empty()) continue;
        check_destination(output);
        model::require_other_file(input, output);
        model::require_other_file(line.required("calib"), output);
    }
    if (!to.sensitivity.empty() && to.sensitivity.lexically_normal() == to.model.lexically_normal()) {
        throw Error(ErrorKind::usage, "--sensitivity and --output are the same file, " + to.model.string());
    }
    if (line.given("dry-run")) to.model.clear();
    return to;
}

converter::EqualizedModel equalize(const model::ModelFile& model,
                                   const converter::CalibrationImages& images) {
    ProgressBar bar("measuring channels", ProgressUnit::items);
    return {model, converter::measure_channels(model, images, bar.callback())};
}

/// How a model was quantised.
struct Quantized {
    converter::FullOptions options;  ///< with the bits that were chosen
    std::optional<converter::BitChoice> bits;
    converter::FullQuantization layers;
    std::vector<converter::LayerRounding> rounding;
};

std::vector<converter::ConvolutionStatistics> measure_statistics(const model::ModelFile& model,
                                                                 const converter::CalibrationImages& images) {
    ProgressBar bar("calibrating", ProgressUnit::items);
    return converter::calibrate(model, images, bar.callback());
}

Quantized calibrate_and_quantize(const model::ModelFile& model, const converter::CalibrationImages& images,
                                 const converter::FullOptions& options, std::optional<std::uint64_t> bytes) {
    Quantized result;
    result.options = options;
    const auto statistics = measure_statistics(model, images);
    if (bytes) {
        ProgressBar bar("choosing bits", ProgressUnit::items);
        result.bits = converter::choose_bits(model, statistics, images, options, *bytes, bar.callback());
        result.options.weight_bits = result.bits->bits;
    }
    {
        ProgressBar bar("quantising", ProgressUnit::items);
        result.layers = converter::quantize_all(model, statistics, result.options, bar.callback());
    }
    if (options.rounding == converter::Rounding::error) {
        ProgressBar bar("rounding", ProgressUnit::items);
        result.rounding = converter::round_by_error(model, statistics, images, result.options, result.layers,
                                                    bar.callback());
    }
    return result;
}

/// --target-mb in bytes.
std::optional<std::uint64_t> target_bytes(const CommandLine& line) {
    if (!line.given("target-mb")) return {};
    constexpr double most = 1e6;
    const double megabytes = line.number("target-mb", 0, most);
    return static_cast<std::uint64_t>(megabytes * 1e6);
}

/// Everything after the command line has been parsed.
void quantize_model(const CommandLine& line, const model::ModelFile& model,
                    const converter::CalibrationImages& images, const converter::FullOptions& options,
                    const Destinations& to) {
    const Quantized quantized = calibrate_and_quantize(model, images, options, target_bytes(line));
    if (line.given("dry-run")) print_table(quantized.layers);
    if (quantized.bits) print_bits(*quantized.bits);
    if (line.given("dry-run")) print_rounding(quantized.rounding);
    if (!to.sensitivity.empty()) {
        ProgressBar bar("measuring layers", ProgressUnit::items);
        const auto layers = converter::measure_sensitivity(model, quantized.layers, images, bar.callback());
        model::write_text_file(to.sensitivity, converter::sensitivity_table(layers));
    }
    if (to.model.empty()) return;
    ProgressBar bar("writing", ProgressUnit::bytes);
    converter::write_full(model, quantized.layers, lineage_step(line, images, quantized.options),
                          {to.model, line.given("pack")}, bar.callback());
}

int quantize_every_layer(const CommandLine& line) {
    const std::filesystem::path input = line.argument("MODEL");
    const Destinations to = destinations(line, input);
    converter::CalibrationImages images;
    const MapSize size = size_option(line);
    images.session.threads = threads_option(line);
    images.session.isa = line.text("isa");
    const std::size_t count = line.whole_number("images", 1, most_images);
    const converter::FullOptions options = full_options(line);
    {
        const model::ModelFile model = model::ModelFile::open(input);
        converter::require_fp32(model);
        converter::check_layers(model.network(), options);
        images.session.set_input_size(size.empty() ? model.description().preprocessing.input_size : size);
        const NamedData named =
            open_data("calib", line.required("calib"), converter::DataUse::training, image_options(line));
        images.data = named.data.get();
        images.hold_out = hold_out_option(line);
        images.items = calibration_items(named, count, images.hold_out, images.session.threads);
        if (line.given("no-equalization")) {
            quantize_model(line, model, images, options, to);
        } else {
            quantize_model(line, equalize(model, images).file(), images, options, to);
        }
    }
    if (!to.model.empty()) print_written(to.model);
    return exit_done;
}

}  // namespace

int quantize(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const std::string scope = line.text("scope");
    if (scope == "dense") return quantize_dense_layers(line);
    if (scope == "all") return quantize_every_layer(line);
    throw Error(ErrorKind::usage, "--scope: expected dense or all, found '" + scope + "'");
}

}  // namespace vgg19::tools
