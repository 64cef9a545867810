// vgg19 prune
#include "converter/prune/prune.h"
#include "converter/prune/refit.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>

#include "engine/model/mapped_file.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using converter::PrunePlan;

constexpr std::size_t largest_layer_index = 1000;
constexpr std::size_t largest_multiple = 4096;

CommandLine command_line() {
    CommandLine line("prune",
                     "Removes the filters with the smallest L2 norm from the chosen convolutions, and with "
                     "them the weights that\nread their output. What a removed filter gave where its input "
                     "was zero goes into the next layer's bias.",
                     "MODEL -o OUTPUT");
    line.option("o,output", "FILE", "the model file to write (required but for --dry-run and --write-plan)")
        .option("ratio", "R", "share of a layer's filters to remove, from 0 to 1", "0.1")
        .option("layers", "LIST", "indices in `features`, such as 16,19; default: the nine deepest")
        .option("round-to", "N", "what stays is rounded up to a multiple of this", "1")
        .option("plan", "FILE", "remove what this plan says, instead of choosing")
        .option("write-plan", "FILE", "write the plan, as JSON")
        .option("calib", "DATA",
                "refit what is left on these images: a folder of images (or of a folder of images a class), or "
                "CIFAR-10's binary files")
        .option("n,images", "N", "how many of them, at equal distances through the whole set", "512");
    add_size_option(line);
    add_cpu_options(line);
    line.flag("dry-run", "print the plan and write no model")
        .example("vgg19 prune vgg19.safetensors -o pruned.safetensors --ratio 0.1")
        .example("vgg19 prune vgg19.safetensors --ratio 0.3 --round-to 16 --dry-run");
    return line;
}

/// Where the results go; "" for what is not wanted.
struct Destinations {
    std::filesystem::path model;
    std::filesystem::path plan;
};

void check_distinct(const std::filesystem::path& input, const std::filesystem::path& output) {
    if (input.empty() || output.empty()) return;
    model::require_other_file(input, output);
}

Destinations destinations(const CommandLine& line, const std::filesystem::path& input) {
    Destinations to;
    to.plan = line.text("write-plan");
    const bool model_wanted = !line.given("dry-run") && to.plan.empty();
    to.model = model_wanted ? line.required("output") : line.text("output");
    for (const std::filesystem::path& output : {to.model, to.plan}) {
        if (output.empty()) continue;
        check_destination(output);
        check_distinct(input, output);
        check_distinct(line.text("plan"), output);
    }
    if (!to.plan.empty() && to.plan.lexically_normal() == to.model.lexically_normal()) {
        throw Error(ErrorKind::usage, "--write-plan and --output are the same file, " + to.plan.string());
    }
    check_distinct(to.model, to.plan);
    if (line.given("dry-run")) to.model.clear();
    return to;
}

converter::PruneOptions prune_options(const CommandLine& line) {
    for (const char* option : {"ratio", "layers", "round-to"}) {
        if (line.given("plan") && line.given(option)) {
            throw Error(ErrorKind::usage,
                        "--plan says what to remove: it cannot go with --" + std::string(option));
        }
    }
    converter::PruneOptions options;
    options.ratio = line.number("ratio", 0, 1);
    options.layers = line.whole_numbers("layers", 0, largest_layer_index);
    options.round_to = line.whole_number("round-to", 1, largest_multiple);
    return options;
}

PrunePlan read_plan(const std::string& path) {
    const model::MappedFile file{path};
    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    return PrunePlan::from_json(model::Json::parse(text, path), path);
}

void print_plan(const model::Network& before, const PrunePlan& plan) {
    const model::Network after = converter::pruned_network(before, plan);
    Table table({"layer", "filters", "removed", "left"});
    for (const converter::LayerCut& cut : plan.cuts) {
        table.add({"features." + std::to_string(cut.features_index), std::to_string(cut.channels),
                   std::to_string(cut.removed.size()), std::to_string(cut.channels - cut.removed.size())});
    }
    std::cout << table << "\nparameters  " << grouped(before.parameters()) << " → "
              << grouped(after.parameters()) << " ("
              << fixed(100.0 * static_cast<double>(after.parameters()) /
                           static_cast<double>(before.parameters()),
                       1)
              << " %)\n";
}

}  // namespace

int prune(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("MODEL");
    const converter::PruneOptions options = prune_options(line);
    const Destinations to = destinations(line, input);
    {
        const model::ModelFile model = model::ModelFile::open(input);
        const PrunePlan plan =
            line.given("plan") ? read_plan(line.text("plan")) : converter::plan_pruning(model, options);
        if (line.given("dry-run")) print_plan(model.network(), plan);
        if (!to.plan.empty()) model::write_text_file(to.plan, plan.to_json().dump(2) + "\n");
        if (to.model.empty()) return exit_done;
        if (line.given("calib")) {
            const auto data = converter::open_data_set(line.required("calib"));
            converter::CalibrationImages images;
            images.session.input_size = size_option(line);
            images.session.threads = threads_option(line);
            images.session.isa = line.text("isa");
            images.data = data.get();
            images.items = converter::spread_items(data->size(), line.whole_number("images", 1, 1000000));
            ProgressBar bar("refitting", ProgressUnit::items);
            const converter::Refit found = converter::refit(model, plan, images, {}, bar.callback());
            for (const auto& l : found.layers) {
                std::cerr << l.layer << ' ' << l.unknowns << ' ' << l.samples << ' ' << l.ridge << ' ' << l.error << '\n';
            }
            converter::prune_model(model.with(found.tensors.tensors()), plan, to.model);
            return 0;
        }
        ProgressBar bar("pruning", ProgressUnit::bytes);
        converter::prune_model(model, plan, to.model, bar.callback());
    }
    print_written(to.model);
    return exit_done;
}

}  // namespace vgg19::tools
