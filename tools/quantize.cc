// vgg19 quantize
#include "converter/quantize/quantize.h"

#include <filesystem>
#include <string>

#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

void check_scope(const std::string& scope) {
    if (scope == "dense") return;
    throw Error(ErrorKind::usage, scope == "all" ? "--scope all is not built yet: expected dense"
                                                 : "--scope: expected dense, found '" + scope + "'");
}

}  // namespace

int quantize(int argc, char** argv) {
    CommandLine line(
        "quantize",
        "Gives a model INT8 weights, symmetric, with a scale per output channel. Activations are\n"
        "quantised at run time.",
        "MODEL -o OUTPUT");
    line.option("o,output", "FILE", "the model file to write (required)")
        .option("scope", "LAYERS", "which layers: dense (all is not built yet)", "dense")
        .example("vgg19 quantize vgg19.safetensors -o vgg19-int8.safetensors --scope dense");
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("MODEL");
    const std::filesystem::path output = line.required("output");
    check_scope(line.text("scope"));
    check_destination(output);
    model::require_other_file(input, output);

    {
        const model::ModelFile model = model::ModelFile::open(input);
        ProgressBar bar("quantising", ProgressUnit::bytes);
        converter::quantize_dense(model, output, bar.callback());
    }
    print_written(output);
    return exit_done;
}

}  // namespace vgg19::tools
