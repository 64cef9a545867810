// vgg19 compress
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "converter/evaluate/paired_difference.h"
#include "engine/model/json_file.h"
#include "engine/model/map_size.h"
#include "engine/model/model_file.h"
#include "engine/model/packed_file.h"
#include "kernels/onednn/conv_onednn.h"
#include "tools/command.h"
#include "tools/compress/options.h"
#include "tools/compress/result.h"
#include "tools/compress/search.h"
#include "tools/compress/step_workshop.h"
#include "tools/data_sets.h"
#include "tools/interrupt.h"
#include "tools/pipeline/folder_lock.h"
#include "tools/pipeline/report.h"
#include "tools/pipeline/work_folder.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr const char* log_name = "compress.json";
constexpr const char* program = "vgg19 compress";

/// Role, place and use.
std::vector<std::tuple<std::string, std::filesystem::path, converter::DataUse>> data_options(
    const CompressOptions& options) {
    return {{"data", options.data, converter::DataUse::training},
            {"test", options.test, converter::DataUse::evaluation}};
}

/// Also checked first: training needs oneDNN.
void require_training(const CompressOptions& options) {
    if (options.recipe || kernels::onednn_version() != "none") return;
    throw Error(ErrorKind::usage, "training needs oneDNN, but this build does not have it");
}

/// The number of images to judge with. Throws Error (bad_input) if even a model without a single difference
/// could not keep the promise on them.
double require_enough_images(const CompressOptions& options, std::size_t found) {
    std::size_t images = found;
    if (!options.test_images.empty()) images = std::min<std::size_t>(found, std::stoull(options.test_images));
    const std::uint64_t needed = converter::fewest_images(options.promise.max_drop);
    if (images >= needed) return static_cast<double>(images);
    throw Error(
        ErrorKind::bad_input,
        "--test: expected at least " + grouped(needed) + " images, found " + grouped(images) +
            ": with fewer, not even a model without a single difference can be shown to lose at most " +
            fixed(100 * options.promise.max_drop, 2) + " points (--max-drop)");
}

/// Checks what hours of work would depend on. Returns the number of images to judge with.
double checked_images(const CommandLine& line, const CompressOptions& options) {
    const ImageOptions images = image_options(line);
    for (const auto& [role, path, use] : data_options(options)) {
        const auto data = converter::open_data_set(path, use, images);
        if (data->class_names().empty()) {
            throw Error(ErrorKind::bad_input, "--" + role + ": " + path.string() +
                                                  ": expected labelled images, found images without classes");
        }
    }
    const converter::PictureScan scan = require_different_pictures(
        {"data", options.data.string()}, {"test", options.test.string()}, images, threads_option(line));
    return require_enough_images(options, scan.items.size());
}

/// What the search aims at by expected times. The bench's medians, by which the promise is judged, lie above:
/// by an eighth for wide models, by a fifth for narrow ones.
Promise aim_of(Promise promise) {
    constexpr double expected_share = 0.84;
    if (promise.max_ms) *promise.max_ms *= expected_share;
    return promise;
}

/// Widths stay multiples of a vector, if they are that large.
std::size_t round_to(const model::Network& network) {
    constexpr std::size_t vector = 16;
    std::size_t narrowest = vector * 4;
    for (const auto& layer : network.convolutions()) narrowest = std::min(narrowest, layer.output_channels);
    return std::max<std::size_t>(narrowest / 4, 1);
}

/// Whether this build has libzstd.
bool can_pack() {
    try {
        const model::Packer packer([](std::span<const std::byte>) {});
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// Whether a model can be used in place: models made of it have its input size, and are judged at that.
bool has_size(const CompressOptions& options) {
    if (options.sizes.front().empty()) return true;
    const MapSize own = model::ModelFile::open(options.weights).description().preprocessing.input_size;
    return own == model::parse_map_size(options.sizes.front());
}

/// Of the recipe, or of the search's first model: what follows depends on how that does.
void print_commands(const CompressOptions& options, bool weights_are_model) {
    const StepPlanner planner(options);
    const auto print = [](const Step& step) { std::cout << command_text(step.words) << '\n'; };
    if (!weights_are_model) print(planner.convert());
    std::filesystem::path file = planner.baseline();
    StageNames names(1);
    for (const Stage& stage : options.recipe.value_or(ModelRecipe{int8_stage(can_pack())})) {
        const Step step = planner.stage(stage, file, names.next(stage.command));
        print(step);
        file = step.output;
    }
    print(planner.judge_on_held_out(file, "1", ""));
}

/// A search in a folder, from its steps to its report.
class Compression {
  public:
    Compression(const CommandLine& line, const CompressOptions& options, double test_images, StepLog& log)
        : options_(options),
          images_(image_options(line)),
          labels_(label_options(line)),
          test_images_(test_images),
          until_(line.text("until")),
          log_(log),
          workshop_(options, log, run_step_as_child, test_images, until_) {}

    int run(bool weights_are_model) {
        if (!weights_are_model) workshop_.run(workshop_.planner().convert());
        require_known_labels();
        Search search(settings(), workshop_);
        const auto record = [this](const Search& now) { write_search(now); };
        options_.recipe ? search.try_only(*options_.recipe, options_.sizes.back(), record)
                        : search.run(record);
        CompressResult result = judged(search);
        write_reports(search, result);
        if (!until_.empty()) std::cerr << program << ": no step " << until_ << " was needed\n";
        std::cout << verdict(result, options_.promise) << "\nthe report is in "
                  << (options_.folder / "report.html").string() << '\n';
        return result.marked ? exit_done : exit_failed;
    }

  private:
    /// Before hours of work: each class of the data is one of the model's.
    void require_known_labels() const {
        const model::ModelFile baseline = model::ModelFile::open(workshop_.planner().baseline());
        baseline.require_classifier();
        const converter::ModelClasses classes{baseline.network().classes(),
                                              baseline.description().class_names};
        for (const auto& [role, path, use] : data_options(options_)) {
            map_data(open_data(role, path.string(), use, images_), classes, labels_);
        }
    }

    SearchSettings settings() const {
        const model::ModelFile baseline = model::ModelFile::open(workshop_.planner().baseline());
        return {.promise = aim_of(options_.promise),
                .test_images = test_images_,
                .budget_seconds = options_.budget_seconds,
                .most_models = options_.most_models,
                .sizes = options_.sizes,
                .epochs = options_.epochs,
                .seed = options_.seed,
                .round_to = round_to(baseline.network()),
                .cost_size = to_string(input_size(baseline)),
                .packs = can_pack()};
    }

    /// Whose time is limited.
    MapSize input_size(const model::ModelFile& baseline) const {
        const std::string& size = options_.bench_size.empty() ? options_.sizes.front() : options_.bench_size;
        if (size.empty()) return baseline.description().preprocessing.input_size;
        return model::parse_map_size(size).value();
    }

    void write_search(const Search& search) const {
        model::write_text_file(options_.folder / "search.json", search_json(options_, search).dump(2) + '\n');
        const Trial& trial = search.trials().back();
        const converter::Interval interval = converter::drop_interval(trial.held_out);
        std::cerr << program << ": model " << trial.number << " (" << trial.purpose << "): drop "
                  << fixed(100 * converter::drop(trial.held_out), 2) << " points on held-out images ("
                  << fixed(100 * interval.low, 2) << " to " << fixed(100 * interval.high, 2) << "; expected "
                  << fixed(100 * trial.predicted_drop, 2) << "), " << significant(trial.cost.ms, 3) << " ms, "
                  << significant(trial.cost.mb, 3) << " MB, " << fixed(trial.seconds, 0) << " s\n";
    }

    /// "4.21ms-12.3mb", with a number if there is another.
    std::string id_of(const Trial& trial, const std::vector<JudgedModel>& others) const {
        const std::string plain =
            significant(trial.cost.ms, 3) + "ms-" + significant(trial.cost.mb, 3) + "mb";
        std::string id = plain;
        for (int again = 2; std::any_of(others.begin(), others.end(),
                                        [&id](const JudgedModel& other) { return other.id == id; });
             ++again) {
            id = plain + "-" + std::to_string(again);
        }
        return id;
    }

    CompressResult judged(const Search& search) {
        CompressResult result;
        for (const std::size_t i : front_of(search.trials(), options_.promise.max_drop)) {
            const Trial& trial = search.trials()[i];
            const std::string id = id_of(trial, result.models);
            result.models.push_back({id, options_.folder / (id + ".safetensors"), trial});
        }
        replace_list_of_models(result);
        for (const JudgedModel& model : result.models) {
            std::filesystem::remove(model.file);
            std::filesystem::create_hard_link(workshop_.file_of(model.trial), model.file);
        }
        time(result);
        std::vector<Trial> trials;
        std::vector<double> measured;
        for (const JudgedModel& model : result.models) {
            trials.push_back(model.trial);
            measured.push_back(model.measured_ms);
        }
        const std::vector<std::size_t> order = claim_order(trials, measured, options_.promise);
        for (const std::size_t i : order) result.order.push_back(result.models[i].id);
        judge_on_test(result, order);
        return result;
    }

    void time(CompressResult& result) {
        std::vector<std::string> ids = {"baseline"};
        std::vector<std::filesystem::path> files = {workshop_.planner().baseline()};
        for (const JudgedModel& model : result.models) {
            ids.push_back(model.id);
            files.push_back(model.file);
        }
        plan_.bench = workshop_.run(workshop_.planner().time(ids, files));
        const std::string name = plan_.bench.string();
        const model::Json bench = model::read_json(plan_.bench);
        for (const model::Json& variant : model::member(bench, "variants", name).array()) {
            for (JudgedModel& model : result.models) {
                if (model::member(variant, "id", name).string() != model.id) continue;
                model.measured_ms = model::member(variant, "median_ms", name).number();
            }
        }
    }

    void judge_on_test(CompressResult& result, const std::vector<std::size_t>& order) {
        const StepPlanner& planner = workshop_.planner();
        plan_.variants.push_back({"baseline", planner.baseline(), options_.sizes.front(),
                                  workshop_.run(planner.judge_on_test(planner.baseline(), "baseline", ""))});
        std::vector<converter::PairedCounts> counts;
        for (JudgedModel& model : result.models) {
            const std::filesystem::path evaluation =
                workshop_.run(planner.judge_on_test(model.file, model.id, model.trial.size));
            plan_.variants.push_back({model.id, model.file, model.trial.size, evaluation});
            counts.push_back(model.test = read_paired_counts(evaluation));
        }
        const std::vector<Claim> claims = claims_of(order, counts, options_.promise.max_drop);
        for (std::size_t i = 0; i < claims.size(); ++i) result.models[i].claim = claims[i];
        result.marked = marked_model(result.models);
    }

    /// Of an earlier search with other options: those that it listed here before it put them there. Only
    /// plain names: nothing outside of this folder is removed.
    void replace_list_of_models(const CompressResult& result) const {
        const std::filesystem::path list = options_.folder / "work" / "models.txt";
        std::ifstream earlier(list);
        for (std::string name; std::getline(earlier, name);) {
            if (std::filesystem::path(name).filename() != name) continue;
            std::filesystem::remove(options_.folder / name);
        }
        std::string names;
        for (const JudgedModel& model : result.models) names += model.file.filename().string() + '\n';
        model::write_text_file(list, names);
    }

    void write_reports(const Search& search, const CompressResult& result) {
        plan_.steps = workshop_.steps();
        PipelineOptions named;
        named.weights = options_.weights;
        named.data = options_.data;
        named.test = options_.test;
        model::Json report = pipeline_report(named, plan_, log_);
        report.set("compression", result_json(options_, search, result));
        model::write_text_file(options_.folder / "report.json", report.dump(2) + '\n');
        model::write_text_file(options_.folder / "report.html", pipeline_page(report));
    }

    const CompressOptions& options_;
    ImageOptions images_;
    converter::LabelOptions labels_;
    double test_images_;
    std::string until_;
    StepLog& log_;
    StepWorkshop workshop_;
    PipelinePlan plan_;
};

}  // namespace

int compress(int argc, char** argv) {
    CommandLine line = compress_command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const CompressOptions options = compress_options(line);
    require_there("", options.weights);
    require_there("--data: ", options.data);
    require_there("--test: ", options.test);
    const bool is_model = is_baseline_model(options.weights) && has_size(options);
    require_training(options);
    if (line.given("dry-run")) {
        print_commands(options, is_model);
        return exit_done;
    }
    const double test_images = checked_images(line, options);
    prepare_work_folder(options.folder, log_name, program);
    const FolderLock lock(options.folder);
    if (is_model) link_baseline(options.weights, options.folder / "baseline.safetensors");
    StepLog log(options.folder / log_name, program);
    const InterruptGuard guard("\nvgg19 compress: ending this step\n");
    try {
        return Compression(line, options, test_images, log).run(is_model);
    } catch (const SearchStopped&) {
        return exit_done;
    }
}

}  // namespace vgg19::tools
