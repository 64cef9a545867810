// vgg19 convert
#include <filesystem>

#include "converter/import/import.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"

namespace vgg19::tools {

int convert(int argc, char** argv) {
    CommandLine line(
        "convert",
        "Makes a model file from VGG weights: a PyTorch state dict (.pth, either container) or "
        "safetensors,\nfound by content, with torchvision's or timm's names. Batch normalisation "
        "is folded into the convolutions.",
        "WEIGHTS -o MODEL");
    line.option("o,output", "FILE", "the model file to write (required)")
        .example("vgg19 convert vgg19-dcbb9e9d.pth -o vgg19.safetensors");
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("WEIGHTS");
    const std::filesystem::path output = line.required("output");
    check_destination(output);
    model::require_other_file(input, output);

    {
        ProgressBar bar("converting", ProgressUnit::bytes);
        converter::import_model(input, output, bar.callback());
    }
    print_written(output);
    return exit_done;
}

}  // namespace vgg19::tools
