// vgg19 convert
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/formats/formats.h"
#include "converter/import/import.h"
#include "converter/import/settings.h"
#include "engine/model/foreign_text.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

/// Whether an option has the second of its two values; none where it is absent.
std::optional<bool> choice(const CommandLine& line, const std::string& name, const std::string& first,
                           const std::string& second) {
    if (!line.given(name)) return {};
    const std::string value = line.text(name);
    if (value == first) return false;
    if (value == second) return true;
    throw Error(ErrorKind::usage,
                "--" + name + ": expected " + first + " or " + second + ", found '" + value + "'");
}

std::optional<model::DenseOrder> dense_order(const CommandLine& line) {
    const std::optional<bool> output = choice(line, "dense-order", "input", "output");
    if (!output) return {};
    return *output ? model::DenseOrder::output_major : model::DenseOrder::input_major;
}

/// "0.485,0.456,0.406"; none where the option is absent.
std::optional<std::array<float, 3>> three_numbers(const CommandLine& line, const std::string& name,
                                                  float least) {
    if (!line.given(name)) return {};
    const std::string text = line.text(name);
    std::array<float, 3> values{};
    const char* next = text.data();
    const char* const end = text.data() + text.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto [stop, error] = std::from_chars(next, end, values[i]);
        const bool ends_well = i + 1 < values.size() ? stop != end && *stop == ',' : stop == end;
        if (error != std::errc() || !ends_well ||
            !(values[i] >= least && values[i] <= converter::largest_range)) {
            std::string message = "--" + name + ": expected three numbers from ";
            message.append(least > 0 ? "just above 0" : "0");
            message.append(" to 65535 with commas between, such as 0.49,0.48,0.45, found '")
                .append(text)
                .append("'");
            throw Error(ErrorKind::usage, message);
        }
        next = stop + 1;
    }
    return values;
}

CommandLine command_line() {
    CommandLine line(
        "convert",
        "Makes a model file from VGG weights: a PyTorch checkpoint (.pth, either container), safetensors, "
        "ONNX,\n"
        "Keras (.keras, .h5) or Caffe (.caffemodel), recognised by content. The file must contain a VGG-11, "
        "13, 16 "
        "or 19.\n"
        "Where it holds a graph, its layers are checked one by one. Else the VGG may be under any keys and "
        "next to "
        "anything\n"
        "else; its convolutions may be named features.0 and so on, conv1_1 and so on, or by names that "
        "differ only "
        "in\n"
        "numbers (block1.0, layer7.0). It may have any number of dense layers, or none: convolutions alone, "
        "and the "
        "first\n"
        "of them alone, make a model that runs for its features. Layers that a VGG does not have, such as "
        "leaky "
        "ReLUs,\n"
        "are refused where the file tells them.\n"
        "Batch normalisation is folded into the convolutions, and pruning masks and weight normalisation "
        "into the\n"
        "weights. Standard error reports what was used, left out and assumed.\n\n"
        "For a model file made by vgg19, changes the order of its dense weights, its class names, its pools "
        "or its\n"
        "preprocessing, or leaves out its classifier; packs it (--pack), or unpacks it (without).",
        "WEIGHTS -o MODEL");
    add_output_option(line);
    add_pack_option(line);
    line.option("dense-order", "ORDER",
                "order of the dense weights: input (input-major, faster) or output (output-major, with "
                "torchvision's names and shapes, for PyTorch). Default: input, but a vgg19 model keeps its "
                "order if another option changes it")
        .option("key", "PATH",
                "the path of the VGG, if the file has several, such as state_dict_ema; a dot means the root. "
                "Default: the largest; among equal ones the one at the root, under state_dict or under model")
        .option("batch-norm-epsilon", "E",
                "the epsilon that batch normalisation adds to the variance. Default: the value in the file, "
                "else PyTorch's 1e-5, or Keras's 1e-3")
        .option("classes", "FILE",
                "class names in the order of the outputs: one name per line, or JSON (a list, {\"0\": name, "
                "…}, {name: 0, …}, or {\"0\": [id, name], …}). Default: those in the checkpoint, if it has "
                "exactly one list of them")
        .option(
            "size", "SIZE",
            "the model's input: 224, or height x width such as 224x320. Default: 32 times the side of the "
            "map that the first dense layer reads: 224 for torchvision's models, 32 for CIFAR's. Up to 64, "
            "the model sees the whole picture; above, the centre of one that is 256 / 224 times as large")
        .flag("features-only",
              "leave out the classifier, whatever it is: the model then gives features, and no classes")
        .option("pooling", "KIND",
                "what the 2x2 pools compute: max or average. Default: what the file's modules or graph say, "
                "else max")
        .option("preprocessing", "KIND",
                "how pictures were prepared in training: torchvision, or caffe (also Keras: BGR, 0 to 255, "
                "ImageNet's mean, no standard deviation). The four options below change single parts of it. "
                "Default: caffe for files of Caffe and Keras, else torchvision")
        .option("channels", "ORDER", "the order of the input's channels: RGB or BGR")
        .option("range", "N", "what the largest sample becomes before the mean is subtracted: 1 or 255")
        .option("mean", "A,B,C", "mean of the input's channels, in their order and range")
        .option("std", "A,B,C", "standard deviation of the input's channels, by which they are divided");
    line.example("vgg19 convert vgg19-dcbb9e9d.pth -o vgg19.safetensors")
        .example("vgg19 convert checkpoint.pth -o ema.safetensors --key state_dict_ema --classes names.txt")
        .example(
            "vgg19 convert cifar_vgg16_bn.pth -o cifar.safetensors --mean 0.4914,0.4822,0.4465 "
            "--std 0.2023,0.1994,0.2010")
        .example("vgg19 convert vgg19-7.onnx -o zoo.safetensors")
        .example("vgg19 convert vgg19_caffe.pth -o caffe.safetensors --preprocessing caffe")
        .example("vgg19 convert vgg19.safetensors -o style.safetensors --features-only --pooling average")
        .example("vgg19 convert int8-full.safetensors -o small.vgg19.zst --pack")
        .example("vgg19 convert pruned.safetensors -o for-pytorch.safetensors --dense-order output");
    return line;
}

converter::ImportOptions import_options(const CommandLine& line) {
    converter::ImportOptions options;
    options.dense_order = dense_order(line);
    options.key = line.text("key");
    if (line.given("batch-norm-epsilon")) {
        options.batch_norm_epsilon = line.number("batch-norm-epsilon", converter::smallest_batch_norm_epsilon,
                                                 converter::largest_batch_norm_epsilon);
    }
    options.classes = line.text("classes");
    options.input_size = size_option(line);
    options.mean = three_numbers(line, "mean", 0);
    options.deviation = three_numbers(line, "std", converter::smallest_deviation);
    options.features_only = line.given("features-only");
    options.pack = line.given("pack");
    if (const auto order = choice(line, "channels", "RGB", "BGR")) {
        options.channel_order = *order ? ChannelOrder::bgr : ChannelOrder::rgb;
    }
    if (line.given("range")) {
        options.range = static_cast<float>(line.number("range", 1, converter::largest_range));
    }
    if (const auto pooling = choice(line, "pooling", "max", "average")) {
        options.pooling = *pooling ? Pooling::average : Pooling::max;
    }
    if (line.given("preprocessing")) {
        converter::set_known_preprocessing(line.text("preprocessing"), options);
    }
    return options;
}

std::string counted_tensors(std::size_t count) {
    return grouped(count) + (count == 1 ? " tensor" : " tensors");
}

void print_report(const converter::ImportReport& report) {
    if (!report.is_model) {
        std::cerr << "took " << counted_tensors(report.tensors) << " of a " << report.title;
        if (!report.prefix.empty()) std::cerr << " under " << model::printable(report.prefix);
        std::cerr << "\ndense layers: " << model::printable_lines(report.dense) << '\n';
    }
    std::vector<std::string> left;
    for (const auto& [place, count] : report.left) {
        left.push_back(place + " (" + counted_tensors(count) + ')');
    }
    left.insert(left.end(), report.skipped.begin(), report.skipped.end());
    constexpr std::size_t most_shown = 20;
    for (std::size_t i = 0; i < std::min(left.size(), most_shown); ++i) {
        std::cerr << "left: " << model::printable_lines(left[i]) << '\n';
    }
    if (left.size() > most_shown) std::cerr << "left: " << left.size() - most_shown << " more places\n";
    for (const std::string& note : report.notes) {
        std::cerr << "note: " << model::printable_lines(note) << '\n';
    }
}

}  // namespace

int convert(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("WEIGHTS");
    const std::filesystem::path output = line.required("output");
    converter::ImportOptions options = import_options(line);
    options.formats = converter::foreign_formats();
    check_destination(output);
    model::require_other_file(input, output);

    converter::ImportReport report;
    {
        ProgressBar bar("converting", ProgressUnit::bytes);
        report = converter::import_model(input, output, options, bar.callback());
    }
    print_report(report);
    print_written(output);
    return exit_done;
}

}  // namespace vgg19::tools
