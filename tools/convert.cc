// vgg19 convert
#include <filesystem>
#include <string>

#include "converter/import/import.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

model::DenseOrder dense_order(const std::string& order) {
    if (order == "input") return model::DenseOrder::input_major;
    if (order == "output") return model::DenseOrder::output_major;
    throw Error(ErrorKind::usage, "--dense-order: expected input or output, found '" + order + "'");
}

}  // namespace

int convert(int argc, char** argv) {
    CommandLine line(
        "convert",
        "Makes a model file from VGG weights: a PyTorch state dict (.pth, either container) or "
        "safetensors,\nfound by content, with torchvision's or timm's names. Batch normalisation "
        "is folded into the convolutions. A model file of ours only gets its dense weights in the "
        "wanted order.",
        "WEIGHTS -o MODEL");
    line.option("o,output", "FILE", "the model file to write (required)")
        .option(
            "dense-order", "ORDER",
            "dense weights input by input, which runs faster, or output by output under torchvision's names "
            "and shapes, which PyTorch loads: input or output",
            "input")
        .example("vgg19 convert vgg19-dcbb9e9d.pth -o vgg19.safetensors")
        .example("vgg19 convert pruned.safetensors -o for-pytorch.safetensors --dense-order output");
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("WEIGHTS");
    const std::filesystem::path output = line.required("output");
    const converter::ImportOptions options = {.dense_order = dense_order(line.text("dense-order"))};
    check_destination(output);
    model::require_other_file(input, output);

    {
        ProgressBar bar("converting", ProgressUnit::bytes);
        converter::import_model(input, output, options, bar.callback());
    }
    print_written(output);
    return exit_done;
}

}  // namespace vgg19::tools
