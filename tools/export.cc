// vgg19 export
#include <filesystem>
#include <iostream>
#include <string>

#include "converter/export/onnx_file.h"
#include "converter/export/plain_weights.h"
#include "converter/export/torch_file.h"
#include "engine/model/description.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/layer_names.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

CommandLine command_line() {
    CommandLine line(
        "export",
        "Writes a model for other programs.\n"
        "--onnx writes a graph for ONNX Runtime, OpenVINO and others. INT8 convolutions stay INT8 (operators "
        "QuantizeLinear\n"
        "and DequantizeLinear, with the scales of direct convolution), and INT8 dense layers too, with "
        "scales that the graph\n"
        "computes for each image; INT4 becomes FP32. The input is named \"input\".\n"
        "--torch writes a state dict with torchvision's names and shapes, which torch.load and "
        "load_state_dict take. All\n"
        "weights are FP32 there; quantised ones are multiplied by their scales.\n"
        "Both files hold the model's preprocessing, class names and lineage, which `vgg19 convert` reads "
        "back.",
        "MODEL (--onnx FILE | --torch FILE)");
    line.option("onnx", "FILE", "the ONNX file to write, such as vgg19.onnx")
        .option("torch", "FILE", "the PyTorch file to write, such as vgg19.pth");
    line.group("With --onnx");
    add_size_option(line);
    line.option("batch", "N", "inputs at once; default: any number, which each run decides")
        .list_option("outputs", "LIST",
                     std::string("the graph's outputs, by names: ") + layer_names_help +
                         "; default: logits, or the last map of a model without a classifier")
        .flag("fp32", "write quantised layers in FP32, as their values and scales give them");
    line.example("vgg19 export int8.safetensors --onnx int8.onnx")
        .example("vgg19 export vgg19.safetensors --onnx features.onnx --outputs relu3_4,relu4_4 --size 512")
        .example("vgg19 export pruned.safetensors --torch pruned.pth");
    return line;
}

converter::OnnxOptions onnx_options(const CommandLine& line) {
    converter::OnnxOptions options;
    options.input_size = size_option(line, model::smallest_features_input);
    if (line.given("batch")) options.batch = line.whole_number("batch", 1, converter::largest_onnx_batch);
    options.outputs = layer_list(line, "outputs");
    options.plain = line.given("fp32");
    return options;
}

void check_options(const CommandLine& line) {
    if (line.given("onnx") == line.given("torch")) {
        throw Error(ErrorKind::usage, "expected either --onnx or --torch; see: vgg19 export --help");
    }
    if (line.given("onnx")) return;
    for (const char* name : {"size", "batch", "outputs", "fp32"}) {
        if (!line.given(name)) continue;
        throw Error(ErrorKind::usage, "--" + std::string(name) +
                                          ": expected with --onnx, found with --torch: a state dict has "
                                          "weights alone");
    }
}

/// What the file does not say in a way that other programs heed.
void print_notes(const model::ModelFile& model, bool is_onnx) {
    const model::Description& description = model.description();
    if (!is_onnx && description.pooling == Pooling::average) {
        std::cerr << "note: this model's pools average, which a state dict does not say: load it into a "
                     "network with torch.nn.AvgPool2d(2) in the places of torch.nn.MaxPool2d(2, 2)\n";
    }
    if (model.lacks_output_factors()) {
        std::cerr
            << "note: an earlier version quantised this model; it scaled the channels between its layers "
               "and did not keep by how much, so that the maps there are not the trained network's\n";
    }
    if (description.preprocessing != Preprocessing{.input_size = description.preprocessing.input_size}) {
        std::cerr << "note: this model's preprocessing is not torchvision's; `vgg19 inspect` shows it\n";
    }
}

}  // namespace

int export_model(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("MODEL");
    check_options(line);
    const bool is_onnx = line.given("onnx");
    const std::filesystem::path output = line.text(is_onnx ? "onnx" : "torch");
    const converter::OnnxOptions options = onnx_options(line);
    check_destination(output);
    const model::ModelFile model = model::ModelFile::open(input);
    {
        ProgressBar bar("exporting", ProgressUnit::bytes);
        if (is_onnx) {
            converter::export_onnx(model, output, options, bar.callback());
        } else {
            converter::export_torch(model, output, bar.callback());
        }
    }
    print_notes(model, is_onnx);
    std::cout << output.string() << ": " << megabytes(std::filesystem::file_size(output)) << '\n';
    return exit_done;
}

}  // namespace vgg19::tools
