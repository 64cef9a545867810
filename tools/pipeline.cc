// vgg19 pipeline
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/variants/recipes.h"
#include "kernels/onednn/conv_onednn.h"
#include "tools/command.h"
#include "tools/data_sets.h"
#include "tools/interrupt.h"
#include "tools/pipeline/folder_lock.h"
#include "tools/pipeline/plan.h"
#include "tools/pipeline/report.h"
#include "tools/pipeline/steps.h"
#include "tools/pipeline/work_folder.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t most_images = 1'000'000'000;
constexpr std::size_t most_epochs = 100'000;
constexpr std::size_t largest_batch = 65'536;
constexpr std::size_t largest_multiple = 4096;
constexpr std::size_t most_threads = 1024;
constexpr double largest_rate = 1000;
constexpr double below_one = 1 - std::numeric_limits<double>::epsilon();
constexpr double most_seconds = 3600;
constexpr const char* log_name = "pipeline.json";

/// "pruned, int8, …"
std::string derived_ids() {
    std::vector<converter::Recipe> derived = converter::recipes_without_ranks();
    std::erase_if(derived, [](const converter::Recipe& recipe) {
        return recipe.derivation == converter::Derivation::imported;
    });
    return converter::recipe_ids(derived);
}

CommandLine command_line() {
    CommandLine line("pipeline",
                     "Makes, evaluates and times every variant of a model, and writes report.json and "
                     "report.html. Runs convert,\n"
                     "prune, finetune, quantize, eval and bench one after another, and records finished "
                     "steps in DIR: the same\n"
                     "command continues an interrupted run, and repeats only steps that depend on changed "
                     "options or files.",
                     "WEIGHTS --data DATA --test DATA -o DIR");
    line.option("o,output", "DIR", "folder for models and reports; created if missing (required)")
        .option("data", "DATA", "labelled images to train and calibrate with (required)")
        .option("test", "DATA", "labelled images to evaluate with; must not overlap with --data (required)")
        .option("variants", "LIST", "only these, in addition to the baseline: " + derived_ids());
    add_label_options(line);
    add_image_options(line);
    add_size_option(line);
    line.option("bench-size", "SIZE", "input size for measuring speed; default: --size")
        .option("ratio", "R",
                "share of filters to remove from each of the nine deepest convolutions; default: 0.1")
        .option("target-macs", "SHARE",
                "instead: share of the multiply-accumulates that remain; removes the filters that cost least")
        .option("criterion", "NAME", "which filters to remove first; see: vgg19 prune --help")
        .option("round-to", "N", "round the number of kept filters up to a multiple of this")
        .flag("no-refit", "prune without refitting on the training images")
        .flag("no-finetune", "do not train pruned models")
        .flag("no-scan", "do not measure how sensitive each layer is to pruning")
        .option("subset", "N", "train on N images; default: all")
        .option("epochs", "N", "epochs of training; default: 1")
        .option("batch", "N", "images per training step; default: 32")
        .option("lr", "RATE", "learning rate of training; default: that of `vgg19 finetune --teacher`")
        .option("keep", "SHARE",
                "share of the weights before training in the average with the trained ones; default: 0")
        .option("seed", "N", "seed of training; default: 0")
        .option("n,images", "N", "number of calibration images; default: each command's own")
        .option("test-images", "N",
                "number of images to evaluate, taken at equal distances from the set; default: all")
        .option("factorize-rank", "LIST",
                "also make pruned-factored and pruned-factored-int8-full, with dense layers of these ranks")
        .option("factorize-energy", "E",
                "the same, with the ranks that keep this share of the squared singular values");
    add_threads_option(line);
    line.option("min-time", "SECONDS", "measure each variant for this long; default: 3")
        .option("until", "STEP", "stop after this step, such as prune or 'eval int8'")
        .flag("dry-run", "print the commands and run none")
        .example(
            "vgg19 pipeline vgg19.pth --data cifar-10/data_batch_1.bin --test cifar-10/test_batch.bin -o out")
        .example(
            "vgg19 pipeline vgg19.safetensors --data train --test test -o out --target-macs 0.5 --subset "
            "2000");
    return line;
}

std::string checked_criterion(const CommandLine& line) {
    std::string name = line.text("criterion");
    if (!name.empty()) converter::criterion_named(name);
    return name;
}

PipelineOptions pipeline_options(const CommandLine& line) {
    require_not_both(line, "ratio", "target-macs");
    require_not_both(line, "factorize-rank", "factorize-energy");
    for (const char* option : {"subset", "epochs", "batch", "lr", "keep", "seed"}) {
        require_not_both(line, "no-finetune", option);
    }
    PipelineOptions options;
    options.weights = line.argument("WEIGHTS");
    options.data = line.required("data");
    options.test = line.required("test");
    options.folder = line.required("output");
    options.reading = data_options_of(line);
    std::istringstream variants(line.text("variants"));
    for (std::string id; std::getline(variants, id, ',');) options.variants.push_back(id);
    options.size = checked_size(line, "size");
    options.bench_size = checked_size(line, "bench-size");
    options.ratio = checked_number(line, "ratio", 0, 1);
    options.target_macs = checked_number(line, "target-macs", 0, 1);
    options.criterion = checked_criterion(line);
    options.round_to = checked_whole(line, "round-to", 1, largest_multiple);
    options.refit = !line.given("no-refit");
    options.finetune = !line.given("no-finetune");
    options.scan = !line.given("no-scan");
    options.subset = checked_whole(line, "subset", 1, most_images);
    options.epochs = checked_whole(line, "epochs", 1, most_epochs);
    options.batch = checked_whole(line, "batch", 1, largest_batch);
    options.keep = checked_number(line, "keep", 0, below_one);
    options.learning_rate = checked_number(line, "lr", std::numeric_limits<double>::min(), largest_rate);
    options.seed = checked_whole(line, "seed", 0, std::numeric_limits<std::size_t>::max());
    options.calibration_images = checked_whole(line, "images", 1, most_images);
    options.test_images = checked_whole(line, "test-images", 1, most_images);
    options.rank = line.text("factorize-rank");
    options.energy = checked_number(line, "factorize-energy", 0, 1);
    options.threads = checked_whole(line, "threads", 1, most_threads);
    options.min_time = checked_number(line, "min-time", 0.001, most_seconds);
    return options;
}

/// Check before the earlier steps take hours.
void require_training(const PipelinePlan& plan) {
    const bool trains = std::any_of(plan.steps.begin(), plan.steps.end(),
                                    [](const Step& step) { return step.id == "finetune"; });
    if (!trains || kernels::onednn_version() != "none") return;
    throw Error(ErrorKind::usage,
                "training needs oneDNN, but this build does not have it; --no-finetune goes without");
}

void require_step(const PipelinePlan& plan, const std::string& id) {
    std::string known;
    for (const Step& step : plan.steps) {
        if (step.id == id) return;
        known += (known.empty() ? "" : ", ") + step.id;
    }
    throw Error(ErrorKind::usage, "--until: expected one of " + known + "; found '" + id + "'");
}

void write_reports(const PipelineOptions& options, const PipelinePlan& plan, const StepLog& log) {
    const model::Json report = pipeline_report(options, plan, log);
    model::write_text_file(options.folder / "report.json", report.dump(2) + '\n');
    model::write_text_file(options.folder / "report.html", pipeline_page(report));
}

}  // namespace

int pipeline(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const PipelineOptions options = pipeline_options(line);
    require_there("", options.weights);
    require_there("--data: ", options.data);
    require_there("--test: ", options.test);
    const bool is_model = is_baseline_model(options.weights);
    const PipelinePlan plan = plan_pipeline(options, is_model);
    require_training(plan);
    const std::string until = line.text("until");
    if (!until.empty()) require_step(plan, until);
    if (line.given("dry-run")) {
        for (const Step& step : plan.steps) std::cout << command_text(step.words) << '\n';
        return exit_done;
    }

    require_different_pictures({"data", options.data.string()}, {"test", options.test.string()},
                               image_options(line), threads_option(line));
    prepare_work_folder(options.folder, log_name, "vgg19 pipeline");
    const FolderLock lock(options.folder);
    if (is_model) link_baseline(options.weights, options.folder / "baseline.safetensors");
    StepLog log(options.folder / log_name);
    const InterruptGuard guard("\nvgg19 pipeline: ending this step\n");
    for (const Step& step : plan.steps) {
        log.run(step, run_step_as_child);
        if (step.id == until) return exit_done;
    }
    write_reports(options, plan, log);
    std::cout << "the report is in " << (options.folder / "report.html").string() << '\n';
    return exit_done;
}

}  // namespace vgg19::tools
