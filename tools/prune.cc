// vgg19 prune
#include "converter/prune/prune.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/prune/criterion.h"
#include "converter/quantize/option_names.h"
#include "converter/refit/least_loss.h"
#include "converter/refit/moments.h"
#include "converter/refit/refit.h"
#include "converter/refit/scan.h"
#include "converter/refit/target.h"
#include "engine/model/json_file.h"
#include "engine/model/model_file.h"
#include "tools/command.h"
#include "tools/data_sets.h"
#include "tools/progress_bar.h"
#include "tools/prune_limits.h"
#include "tools/scan_text.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using converter::PrunePlan;

constexpr std::size_t largest_layer_index = 1000;
constexpr std::size_t largest_multiple = 4096;
constexpr std::size_t multiple_for_targets = 16;  ///< floats of the widest vectors
constexpr std::size_t most_images = 1'000'000;
constexpr std::size_t most_scanned_images = 128;

CommandLine command_line() {
    CommandLine line(
        "prune",
        "Removes filters from the selected convolutions, and the weights that read their output. The "
        "constant\n"
        "output of a removed filter (where its input is zero) is added to the next layer's bias.\n\n"
        "With --calib DATA, the following layers are refitted, from first to last: each layer's weights are "
        "chosen by\n"
        "least squares, to reproduce its output in the unpruned network from its remaining inputs, at "
        "sampled\n"
        "positions of the images. Every eighth image is held out as a check: a layer without an improvement "
        "on these\n"
        "keeps its weights. DATA is a folder of images (or of one folder per class), or CIFAR-10's binary "
        "files; in a\n"
        "folder of those, data_batch_*.bin. Unreadable images are left out and reported.",
        "MODEL -o OUTPUT");
    line.option("o,output", "FILE",
                "the model file to write (required, except with --dry-run, --write-plan and --scan)")
        .option("ratio", "R", "share of a layer's filters to remove, from 0 to 1", "0.1")
        .option("layers", "LIST",
                "indices in `features`, such as 16,19; default: the nine deepest, or all with a target or "
                "--scan")
        .flag("dense", "also remove outputs of the classifier's hidden layers; with --ratio and --scan too")
        .option("round-to", "N",
                "round the number of kept filters up to a multiple of this; default: 16 with --target-ms or "
                "--target-mb, else 1")
        .option("criterion", "NAME",
                "which filters to remove first: l2 or l1 (the smallest norm); activation (the least effect "
                "on the next layer, after the others compensate; needs --calib); or random",
                "l2")
        .option("seed", "N", "for --criterion random", "1")
        .option("plan", "FILE", "remove the filters in this plan")
        .option("write-plan", "FILE", "write the plan, as JSON")
        .flag("dry-run", "print the plan and write no model")
        .option("calib", "DATA", "the images to refit with")
        .option("n,images", "N",
                "the number of images, taken at equal distances from the whole set (a scan uses at most 128)",
                "1024")
        .flag("no-refit", "use --calib only to choose filters")
        .flag("scan",
              "only print how removing 10 % to 90 % of each convolution's filters changes the logits, after "
              "the other filters compensate (needs --calib)")
        .option("csv", "FILE", "write the scan of --scan or of a target as a CSV table")
        .option("svg", "FILE", "write the scan as a chart");
    add_hold_out_option(line);
    add_limit_options(line);
    add_size_option(line);
    add_image_options(line);
    add_cpu_options(line);
    line.example("vgg19 prune vgg19.safetensors -o pruned.safetensors --ratio 0.1")
        .example("vgg19 prune vgg19.safetensors -o pruned.safetensors --ratio 0.1 --calib photos -n 256")
        .example(
            "vgg19 prune vgg19.safetensors -o half.safetensors --target-macs 0.5 --round-to 16 --calib "
            "photos")
        .example(
            "vgg19 prune vgg19.safetensors -o small.safetensors --target-ms 6 --target-mb 12 --dense "
            "--criterion activation --calib photos")
        .example("vgg19 prune vgg19.safetensors --scan --calib photos -n 32 --svg scan.svg");
    return line;
}

/// The output files; "" for those not wanted.
struct Destinations {
    std::filesystem::path model;
    std::filesystem::path plan;
    std::filesystem::path csv;
    std::filesystem::path svg;
};

void check_distinct(const std::filesystem::path& input, const std::filesystem::path& output) {
    if (input.empty() || output.empty()) return;
    model::require_other_file(input, output);
}

Destinations destinations(const CommandLine& line, const std::filesystem::path& input) {
    Destinations to = {line.text("output"), line.text("write-plan"), line.text("csv"), line.text("svg")};
    const bool model_wanted = !line.given("dry-run") && !line.given("scan") && to.plan.empty();
    if (model_wanted) to.model = line.required("output");
    const std::array<std::pair<const char*, const std::filesystem::path*>, 4> all = {
        {{"output", &to.model}, {"write-plan", &to.plan}, {"csv", &to.csv}, {"svg", &to.svg}}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& [name, output] = all[i];
        if (output->empty()) continue;
        check_destination(*output);
        check_distinct(input, *output);
        check_distinct(line.text("plan"), *output);
        check_distinct(line.text("calib"), *output);
        for (std::size_t before = 0; before < i; ++before) {
            const auto& [other_name, other] = all[before];
            if (other->lexically_normal() == output->lexically_normal()) {
                throw Error(ErrorKind::usage, "--" + std::string(name) + " and --" + other_name +
                                                  " are the same file, " + output->string());
            }
            check_distinct(*other, *output);
        }
    }
    if (line.given("dry-run")) to.model.clear();
    return to;
}

/// Throws if any of the other options is given together with `option`.
void require_alone(const CommandLine& line, const char* option, const std::string& reason,
                   std::initializer_list<const char*> others) {
    if (!line.given(option)) return;
    for (const char* other : others) {
        if (!line.given(other)) continue;
        throw Error(ErrorKind::usage,
                    "--" + std::string(option) + " " + reason + ": it cannot go with --" + other);
    }
}

void require_one_of(const CommandLine& line, std::initializer_list<const char*> options,
                    std::initializer_list<const char*> needed) {
    for (const char* option : options) {
        if (!line.given(option)) continue;
        std::string names;
        bool found = false;
        for (const char* name : needed) {
            names += (names.empty() ? "--" : " or --") + std::string(name);
            found = found || line.given(name);
        }
        if (!found) throw Error(ErrorKind::usage, "--" + std::string(option) + " needs " + names);
    }
}

void check_combination(const CommandLine& line) {
    require_alone(line, "plan", "says what to remove",
                  {"ratio", "layers", "round-to", "target-macs", "target-ms", "target-mb", "dense",
                   "criterion", "seed", "scan"});
    require_alone(line, "scan", "writes no model and no plan",
                  {"output", "write-plan", "dry-run", "ratio", "target-macs", "target-ms", "target-mb",
                   "round-to", "no-refit"});
    for (const char* target : {"target-macs", "target-ms", "target-mb"}) {
        require_alone(line, target, "says how much to remove", {"ratio"});
    }
    require_one_of(line,
                   {"target-macs", "target-ms", "target-mb", "scan", "images", "size", "no-refit", "no-exif",
                    "max-megapixels", "threads", "isa"},
                   {"calib"});
    require_one_of(line, {"csv", "svg"}, {"scan", "target-macs", "target-ms", "target-mb"});
    check_limits(line);
    if (line.text("criterion") == "activation" && !line.given("calib")) {
        throw Error(ErrorKind::usage, "--criterion activation needs --calib");
    }
    if (line.given("hold-out") && !line.given("calib")) {
        throw Error(ErrorKind::usage, "--hold-out is only for --calib");
    }
    if (line.given("seed") && line.text("criterion") != "random") {
        throw Error(ErrorKind::usage, "--seed is only for --criterion random");
    }
}

converter::PruneOptions prune_options(const CommandLine& line) {
    converter::PruneOptions options;
    options.ratio = line.number("ratio", 0, 1);
    options.layers = line.whole_numbers("layers", 0, largest_layer_index);
    options.dense = line.given("dense");
    if (line.given("round-to")) {
        options.round_to = line.whole_number("round-to", 1, largest_multiple);
    } else if (line.given("target-ms") || line.given("target-mb")) {
        options.round_to = multiple_for_targets;
    }
    options.criterion = converter::criterion_named(line.text("criterion"));
    options.seed = line.whole_number("seed", 0, std::numeric_limits<std::uint32_t>::max());
    return options;
}

PrunePlan read_plan(const std::string& path) {
    return PrunePlan::from_json(model::read_json(path), path);
}

void print_plan(const model::Network& before, const PrunePlan& plan) {
    const model::Network after = converter::pruned_network(before, plan);
    Table table({"layer", "filters", "removed", "left"});
    for (const converter::LayerCut& cut : plan.cuts) {
        table.add({cut.layer(), std::to_string(cut.channels), std::to_string(cut.removed.size()),
                   std::to_string(cut.channels - cut.removed.size())});
    }
    std::cout << table << "\nparameters  " << grouped(before.parameters()) << " → "
              << grouped(after.parameters()) << " ("
              << fixed(100.0 * static_cast<double>(after.parameters()) /
                           static_cast<double>(before.parameters()),
                       1)
              << " %)\n";
}

/// The calibration images of one command.
class Calibration {
  public:
    Calibration(const CommandLine& line, const model::ModelFile& model)
        : named_(
              open_data("calib", line.required("calib"), converter::DataUse::training, image_options(line))),
          no_exif_(line.given("no-exif")) {
        images_.data = named_.data.get();
        const MapSize size = size_option(line);
        images_.session.set_input_size(size.empty() ? model.description().preprocessing.input_size : size);
        images_.session.threads = threads_option(line);
        images_.session.isa = line.text("isa");
        const std::size_t count = line.whole_number("images", 1, most_images);
        images_.hold_out = hold_out_option(line);
        images_.items = calibration_items(named_, count, images_.hold_out, images_.session.threads);
    }

    const converter::CalibrationImages& images() const { return images_; }
    converter::CalibrationImages for_scan() const {
        converter::CalibrationImages fewer = images_;
        fewer.items.clear();
        for (const std::size_t place : converter::spread_items(images_.items.size(), most_scanned_images)) {
            fewer.items.push_back(images_.items[place]);
        }
        return fewer;
    }
    /// For the lineage.
    std::string text() const {
        return converter::calibration_text(named_.path, images_) + (no_exif_ ? " --no-exif" : "");
    }

  private:
    NamedData named_;
    bool no_exif_;
    converter::CalibrationImages images_;
};

using Clock = std::chrono::steady_clock;

std::string seconds_since(Clock::time_point start) {
    return fixed(std::chrono::duration<double>(Clock::now() - start).count(), 1);
}

/// Everything after the command line has been parsed, for one model.
class Pruning {
  public:
    Pruning(const CommandLine& line, const model::ModelFile& model, converter::PruneOptions options,
            Destinations to)
        : line_(line), model_(model), options_(std::move(options)), to_(std::move(to)) {
        const bool all_layers = line.given("scan") || has_limit(line);
        if (all_layers && options_.layers.empty()) {
            for (const auto& layer : model.network().convolutions()) {
                options_.layers.push_back(layer.features_index);
            }
        }
        if (!line.given("calib")) return;
        converter::require_fp32_throughout(model);
        calibration_.emplace(line, model);
        if (!all_layers && options_.criterion != converter::Criterion::activation) return;
        ProgressBar bar("measuring channels", ProgressUnit::items);
        statistics_ =
            converter::measure_statistics(model, calibration_->images(), options_.dense, bar.callback());
    }

    void run() {
        if (line_.given("scan")) {
            print_scan(scan(converter::removal_orders(model_, options_, activation_order())));
            std::cout << "\nThe scan took " << scan_seconds_ << " s.\n";
            return;
        }
        PrunePlan plan = line_.given("plan") ? read_plan(line_.text("plan")) : chosen_plan();
        if (line_.given("dry-run")) print_plan(model_.network(), plan);
        if (!to_.plan.empty()) model::write_text_file(to_.plan, plan.to_json().dump(2) + "\n");
        if (to_.model.empty()) return;
        if (calibration_ && !line_.given("no-refit")) {
            write_refitted(std::move(plan));
            return;
        }
        ProgressBar bar("pruning", ProgressUnit::bytes);
        converter::prune_model(model_, plan, to_.model, bar.callback());
    }

  private:
    converter::ActivationOrder activation_order() const {
        if (statistics_.empty()) return {};
        return converter::by_activation(model_, statistics_);
    }

    std::vector<converter::LayerScan> scan(const std::vector<std::vector<std::size_t>>& orders) {
        std::vector<converter::LayerScan> layers;
        const Clock::time_point start = Clock::now();
        {
            ProgressBar bar("scanning", ProgressUnit::items);
            layers = converter::scan(model_, orders, statistics_, calibration_->for_scan(), bar.callback());
        }
        scan_seconds_ = seconds_since(start);
        if (!to_.csv.empty()) model::write_text_file(to_.csv, converter::scan_csv(layers));
        if (!to_.svg.empty()) model::write_text_file(to_.svg, scan_picture(layers));
        return layers;
    }

    PrunePlan chosen_plan() {
        if (!has_limit(line_)) {
            PrunePlan plan = converter::plan_pruning(model_, options_, activation_order());
            if (!statistics_.empty()) plan.origin.append(" ").append(calibration_->text());
            return plan;
        }
        const model::Network& network = model_.network();
        const auto orders = converter::removal_orders(model_, options_, activation_order());
        const auto limits = cost_limits(line_, network, calibration_->images().session.input_size());
        const auto removed = converter::removed_for_limits(network, scan(orders), limits, options_.round_to);
        PrunePlan plan = converter::plan_of_order(
            network, orders, removed,
            converter::prune_origin(limits_text(line_), network, options_) + " " + calibration_->text());
        std::cout << "The scan took " << scan_seconds_ << " s.\n\n";
        print_costs(limits, network, converter::pruned_network(network, plan));
        return plan;
    }

    void write_refitted(PrunePlan plan) const {
        converter::Refit refit;
        const Clock::time_point start = Clock::now();
        {
            ProgressBar bar("refitting", ProgressUnit::items);
            refit = converter::refit(model_, plan, calibration_->images(), {}, bar.callback());
        }
        Table table({"refitted", "unknowns", "samples", "ridge", "error left %"});
        for (const converter::LayerRefit& layer : refit.layers) {
            table.add({layer.layer, std::to_string(layer.unknowns), std::to_string(layer.samples),
                       layer.ridge > 0 ? fixed(layer.ridge, 4) : "none", fixed(100 * layer.error, 2)});
        }
        std::cout
            << table
            << "\nErrors are squared errors on held-out images, relative to pruning without the refit.\n"
            << "The refit took " << seconds_since(start) << " s.\n\n";
        if (statistics_.empty()) plan.origin.append(" ").append(calibration_->text());
        plan.origin += " (refitted)";
        ProgressBar bar("writing", ProgressUnit::bytes);
        converter::prune_model(model_.with(refit.tensors.tensors()), plan, to_.model, bar.callback());
    }

    const CommandLine& line_;
    const model::ModelFile& model_;
    converter::PruneOptions options_;
    Destinations to_;
    std::optional<Calibration> calibration_;
    converter::ChannelStatistics statistics_;  ///< empty unless the criterion needs them
    std::string scan_seconds_;
};

}  // namespace

int prune(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path input = line.argument("MODEL");
    check_combination(line);
    const converter::PruneOptions options = prune_options(line);
    const Destinations to = destinations(line, input);
    {
        const model::ModelFile model = model::ModelFile::open(input);
        Pruning(line, model, options, to).run();
    }
    if (!to.model.empty()) print_written(to.model);
    return exit_done;
}

}  // namespace vgg19::tools
