#include "converter/finetune/rate_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "converter/finetune/training_data.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t most_steps = 24;
constexpr std::size_t most_judged = 512;

/// As many images as a short run shows, at random.
EvaluationImages few(const EvaluationImages& images, const FinetuneOptions& options) {
    EvaluationImages result = images;
    result.items = epoch_order(images.items, options.seed, 0);
    result.items.resize(std::min(result.items.size(), most_steps * options.batch));
    return result;
}

EvaluationImages judged(const EvaluationImages& held_out) {
    EvaluationImages result = held_out;
    result.items.clear();
    for (const std::size_t place : spread_items(held_out.items.size(), most_judged)) {
        result.items.push_back(held_out.items[place]);
    }
    return result;
}

/// Runs all steps, without a checkpoint. False if the loss becomes infinite.
bool run_briefly(Training& training, const TrainingObserver& observer) {
    bool interrupted = false;
    TrainingObserver interruptible;
    interruptible.stepped = [&](const TrainingStep& /*step*/) {
        interrupted = observer.should_stop && observer.should_stop();
        if (!interrupted) return;
        throw Error(ErrorKind::failed,
                    "interrupted while it tried learning rates; the same command begins with them again");
    };
    try {
        training.run(CheckpointKeeper(), interruptible);
        return true;
    } catch (const Error& error) {
        if (interrupted || error.kind() != ErrorKind::failed) throw;
        return false;
    }
}

}  // namespace

std::vector<double> candidate_rates(OptimizerKind optimizer) {
    if (optimizer == OptimizerKind::sgd) return {1e-2, 3e-3, 1e-3, 3e-4};
    if (optimizer == OptimizerKind::relative_adam) return {4e-3, 2e-3, 1e-3, 3e-4};
    return {1e-4, 3e-5, 1e-5, 3e-6};
}

std::vector<TriedRate> try_rates(const model::ModelFile& model, const TrainingImages& images,
                                 const FinetuneOptions& options, std::size_t micro_batch,
                                 const Lesson& lesson, const TrainingObserver& observer) {
    if (!images.held_out) {
        throw Error(ErrorKind::usage, "--lr auto: expected held-out images, found none; see --hold-out");
    }
    FinetuneOptions short_run = options;
    short_run.epochs = 1;
    const EvaluationImages shown = few(images.images, options);
    short_run.batch = std::min(options.batch, shown.items.size());
    HeldOutJudge judge(judged(*images.held_out), objective_of(options), lesson.teacher);
    const std::vector<double> candidates = candidate_rates(options.optimizer.kind);
    std::vector<TriedRate> tried;
    for (const double rate : candidates) {
        short_run.schedule.learning_rate = rate;
        TriedRate result{.rate = rate, .loss = std::numeric_limits<double>::infinity()};
        Training training(model, shown, short_run, phases_of(short_run).back(),
                          std::min(micro_batch, short_run.batch), {}, lesson);
        if (run_briefly(training, observer)) {
            const double loss = training.judge(judge, {}).loss;
            if (std::isfinite(loss)) result.loss = loss;
        }
        tried.push_back(result);
        if (observer.trying_rates) observer.trying_rates(tried.size(), candidates.size());
    }
    return tried;
}

double best_rate(const std::vector<TriedRate>& tried) {
    double best = tried.back().rate;
    double lowest = std::numeric_limits<double>::infinity();
    for (const TriedRate& each : tried) {
        if (!(each.loss < lowest)) continue;
        lowest = each.loss;
        best = each.rate;
    }
    return best;
}

}  // namespace vgg19::converter
