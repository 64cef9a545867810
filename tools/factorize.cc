// vgg19 factorize
#include "converter/factorize/factorize.h"

#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>

#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t largest_rank = 65536;

CommandLine command_line() {
    CommandLine line("factorize",
                     "Replaces dense layers by the product of two thin matrices (truncated singular value "
                     "decomposition):\n"
                     "outputs × inputs weights become rank × (outputs + inputs). FP32 models only: factor "
                     "first, then quantise.",
                     "MODEL -o OUTPUT (--rank R | --energy E)");
    add_output_option(line);
    line.option("rank", "LIST", "rank of the factors: one for all layers, or one per layer, such as 512,256")
        .option("energy", "E",
                "use the smallest rank that keeps this share of the squared singular values, between 0 and 1")
        .option("layers", "LIST",
                "dense layers to factor; default: all but the last: classifier.0,classifier.3")
        .example("vgg19 factorize vgg19.safetensors -o factored.safetensors --rank 1024,512")
        .example(
            "vgg19 factorize pruned.safetensors -o small.safetensors --energy 0.9 --layers classifier.0");
    return line;
}

std::vector<std::string> names(const std::string& list) {
    std::vector<std::string> result;
    std::istringstream stream(list);
    for (std::string name; std::getline(stream, name, ',');) result.push_back(name);
    return result;
}

converter::FactorizeOptions factorize_options(const CommandLine& line) {
    if (line.given("rank") == line.given("energy")) {
        throw Error(ErrorKind::usage, "expected either --rank or --energy; see: vgg19 factorize --help");
    }
    converter::FactorizeOptions options;
    options.layers = names(line.text("layers"));
    options.ranks = line.whole_numbers("rank", 1, largest_rank);
    if (line.given("energy")) options.energy = line.number("energy", 0, 1);
    return options;
}

void print_layers(const std::vector<converter::FactorizedLayer>& layers) {
    Table table({"layer", "rank", "error of the weights", "parameters before", "after"});
    for (const converter::FactorizedLayer& layer : layers) {
        const bool whole = layer.rank == 0;
        table.add({layer.name, whole ? "whole" : std::to_string(layer.rank),
                   whole ? "" : fixed(100 * layer.relative_error, 2) + " %", grouped(layer.parameters_before),
                   grouped(layer.parameters_after)});
    }
    std::cout << table << '\n';
}

}  // namespace

int factorize(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("MODEL");
    const std::filesystem::path output = line.required("output");
    const converter::FactorizeOptions options = factorize_options(line);
    check_destination(output);
    model::require_other_file(input, output);
    {
        const model::ModelFile model = model::ModelFile::open(input);
        ProgressBar bar("factorising", ProgressUnit::items);
        const auto layers = converter::factorize_model(model, options, output, bar.callback());
        print_layers(layers);
    }
    print_written(output);
    return exit_done;
}

}  // namespace vgg19::tools
