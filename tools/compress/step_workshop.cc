#include "tools/compress/step_workshop.h"

#include <utility>

#include "converter/quantize/expected_size.h"
#include "engine/model/json_file.h"
#include "engine/model/map_size.h"
#include "engine/model/model_file.h"
#include "engine/program/expected_run.h"
#include "engine/program/tuned_machine.h"

namespace vgg19::tools {

namespace {

using std::filesystem::path;

/// Of one image, in ms, on this CPU.
double expected_ms(const path& file, const std::string& size, const std::string& threads) {
    constexpr double ms = 1e3;
    SessionOptions options;
    if (!size.empty()) options.set_input_size(model::parse_map_size(size).value());
    if (!threads.empty()) options.threads = std::stoi(threads);
    options.plan_file = find_tuned_machine().path.string();
    return expected_run(make_plan(model::ModelFile::open(file), options)).all.seconds * ms;
}

}  // namespace

converter::PairedCounts read_paired_counts(const path& evaluation) {
    const std::string name = evaluation.string();
    const model::Json json = model::read_json(evaluation);
    const model::Json& reference = model::member(json, "reference", name);
    return {model::member(reference, "only_reference_right", name).number(),
            model::member(reference, "only_model_right", name).number(),
            model::member(reference, "images", name).number()};
}

StepWorkshop::StepWorkshop(const CompressOptions& options, StepLog& log, RunStep run_step, double test_images,
                           std::string until)
    : options_(options),
      planner_(options),
      log_(log),
      run_step_(std::move(run_step)),
      test_images_(test_images),
      until_(std::move(until)) {}

path StepWorkshop::run(Step step) {
    log_.run(step, run_step_);
    seconds_ += log_.seconds(step.id);
    steps_.push_back(std::move(step));
    if (steps_.back().id == until_) throw SearchStopped{};
    return steps_.back().output;
}

path StepWorkshop::file_of(const Trial& trial) const {
    return made_.at(recipe_text(trial.recipe));
}

void StepWorkshop::make(Trial& trial) {
    constexpr double mega = 1e-6;
    const double before = seconds_;
    const std::string number = std::to_string(trial.number);
    path file = planner_.baseline();
    ModelRecipe until_here;
    StageNames names(trial.number);
    for (const Stage& stage : trial.recipe) {
        until_here.push_back(stage);
        const std::string text = recipe_text(until_here);
        const auto found = made_.find(text);
        if (found == made_.end()) {
            file = made_[text] = run(planner_.stage(stage, file, names.next(stage.command)));
        } else {
            file = found->second;
        }
    }
    const std::string size = planner_.input_size(trial.size);
    trial.cost = {
        expected_ms(file, options_.bench_size.empty() ? size : options_.bench_size, options_.threads),
        static_cast<double>(std::filesystem::file_size(file)) * mega};
    trial.plain_mb = converter::expected_int8_bytes(model::ModelFile::open(file).network()) * mega;
    const double judging = seconds_;
    trial.held_out = read_paired_counts(run(planner_.judge_on_held_out(file, number, trial.size)));
    judging_seconds_ = seconds_ - judging;
    held_out_images_ = trial.held_out.images;
    trial.seconds = seconds_ - before;
}

double StepWorkshop::closing_seconds(std::size_t models) const {
    constexpr double timing = 6;  // with what is run before the measured runs
    return static_cast<double>(models) * (timing + judging_seconds_ * test_images_ / held_out_images_);
}

}  // namespace vgg19::tools
