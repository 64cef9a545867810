#include "tools/compress/search.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr double first_step = 0.5;     // to six tenths
constexpr double longest_step = 0.7;   // to a half
constexpr double shortest_step = 0.1;  // to nine tenths
constexpr std::size_t most_fills = 2;
constexpr double bit_trials = 4;           // of spare_bits()
constexpr std::size_t most_trainings = 3;  // of one rung

/// What is quantised at the end is not pruned or trained further.
ModelRecipe before_quantization(const ModelRecipe& recipe) {
    ModelRecipe result = recipe;
    while (!result.empty() && (result.back().command == "quantize" || result.back().command == "convert")) {
        result.pop_back();
    }
    return result;
}

/// What packing is expected to leave of the bytes after a cut of `parent`. Weights that others can stand for,
/// which go first, pack better than those that stay.
double packed_share(const Trial& parent, bool is_small_cut) {
    constexpr double usual = 0.8;
    const double share = parent.cost.mb / parent.plain_mb;
    return is_small_cut || share > usual ? share : std::sqrt(share * usual);
}

std::size_t trainings(const ModelRecipe& recipe) {
    const ModelRecipe trained = before_quantization(recipe);
    std::size_t count = 0;
    while (count < trained.size() && trained[trained.size() - 1 - count].command == "finetune") ++count;
    return count;
}

}  // namespace

Stage int8_stage(bool packs) {
    Stage stage{"quantize", {"--scope", "all"}};
    if (packs) stage.options.emplace_back("--pack");
    return stage;
}

CostPath::CostPath(const Promise& promise, const Cost& start)
    : start_(start), limits_{promise.max_ms.value_or(0), promise.max_mb.value_or(0)} {
    constexpr double unlimited = 8;
    const double time = promise.max_ms ? std::log(start.ms / *promise.max_ms) : 0;
    const double bytes = promise.max_mb ? std::log(start.mb / *promise.max_mb) : 0;
    if (!promise.max_ms && !promise.max_mb) {
        goal_ = unlimited;
        return;
    }
    in_time_ = time > 0;
    in_bytes_ = bytes > 0;
    if (in_time_ && in_bytes_) bytes_exponent_ = bytes / time;
    goal_ = in_time_ ? time : std::max(bytes, 0.0) / bytes_exponent_;
}

Cost CostPath::at(double reduction) const {
    return {in_time_ ? start_.ms * std::exp(-reduction) : 0,
            in_bytes_ ? start_.mb * std::exp(-bytes_exponent_ * reduction) : 0};
}

double CostPath::missing(const Cost& cost) const {
    constexpr double margin = 0.01;
    double missing = 0;
    if (in_time_ && limits_.ms > 0) missing = std::log(cost.ms / limits_.ms);
    if (in_bytes_ && limits_.mb > 0) {
        missing = std::max(missing, std::log(cost.mb / limits_.mb) / bytes_exponent_);
    }
    return missing > 0 ? missing + margin : 0;
}

Cost CostPath::correction(const Cost& cost) const {
    // What packing leaves is known by now; what a width leaves of the time is a little more than expected.
    constexpr double safety = 0.99;
    return {limits_.ms > 0 && cost.ms > limits_.ms ? safety * limits_.ms * limits_.ms / cost.ms : 0,
            limits_.mb > 0 && cost.mb > limits_.mb ? safety * limits_.mb : 0};
}

bool within_limits(const Promise& promise, const Cost& cost) {
    return (!promise.max_ms || cost.ms <= *promise.max_ms) && (!promise.max_mb || cost.mb <= *promise.max_mb);
}

Search::Search(SearchSettings settings, Workshop& workshop)
    : settings_(std::move(settings)), workshop_(workshop), step_(first_step) {}

void Search::run(const std::function<void(const Search&)>& made) {
    made_ = made;
    path_ = CostPath(settings_.promise, try_recipe("INT8 alone", {quantize_stage()}, 0).cost);
    while (has_time(bits_seconds()) && go_on()) {
    }
    add_sizes();
    if (settings_.packs) spare_bits();
}

/// One more model; false if there is none to make.
bool Search::go_on() {
    const std::optional<double> reduction = next_rung();
    if (reduction && add_rung(*reduction)) return true;
    // A model that is better after more training may take the ladder further down.
    return fill_gap() || train_longer();
}

void Search::try_only(const ModelRecipe& recipe, const std::string& size,
                      const std::function<void(const Search&)>& made) {
    made_ = made;
    try_recipe("as given", recipe, 0, size == settings_.sizes.front() ? "" : size);
}

bool Search::is_full() const {
    return settings_.most_models && trials_.size() >= *settings_.most_models;
}

/// `reserved` seconds are kept for what comes later.
bool Search::has_time(double reserved) const {
    if (is_full()) return false;
    double longest = 0;
    for (const Trial& trial : trials_) longest = std::max(longest, trial.seconds);
    return workshop_.seconds() + longest + workshop_.closing_seconds(trials_.size() + 2) + reserved <=
           settings_.budget_seconds;
}

/// Of equally deep ones the best.
const Trial& Search::deepest() const {
    return *std::max_element(trials_.begin(), trials_.end(), [](const Trial& a, const Trial& b) {
        return std::tuple(a.reduction, -converter::drop(a.held_out)) <
               std::tuple(b.reduction, -converter::drop(b.held_out));
    });
}

/// None where the ladder ends.
std::optional<double> Search::next_rung() const {
    // Where limits are given, models that keep them are made even if they lose too much, to say how near they
    // come.
    if (is_exhausted_) return std::nullopt;
    constexpr double far_beyond = 3;
    const bool limited = settings_.promise.max_ms || settings_.promise.max_mb;
    const double reach = prediction_.reach(settings_.promise.max_drop * (limited ? far_beyond : 1));
    const double from = deepest().reduction;
    const double goal = from < path_.goal() ? path_.goal() : from + path_.missing(deepest().cost);
    const double longest = from < path_.goal() ? from + step_ : goal;  // a correction is made at once
    const double to = std::min({longest, goal, reach});
    const bool is_goal = to == goal && to > from && !within_limits(settings_.promise, deepest().cost);
    if (!is_goal && to < from + shortest_step) return std::nullopt;
    return to;
}

/// A shorter one, if the parent has not that much left to remove. False if it has nothing.
bool Search::add_rung(double reduction) {
    const Trial parent = deepest();
    const Trial* rung = try_cut("next rung", parent, reduction);
    while (rung == nullptr) {
        reduction = (parent.reduction + reduction) / 2;
        is_exhausted_ = reduction - parent.reduction < shortest_step;
        if (is_exhausted_) return false;
        rung = try_cut("next rung", parent, reduction);
    }
    const double differing = rung->held_out.only_reference_right + rung->held_out.only_model_right + 1;
    const double more = converter::drop(rung->held_out) - rung->predicted_drop;
    const bool worse = more > std::sqrt(differing) / rung->held_out.images;
    step_ = std::clamp(worse ? step_ / 2 : step_ * 1.4, shortest_step, longest_step);
    return true;
}

/// Null if prune says that it cannot remove that much.
const Trial* Search::try_cut(std::string purpose, const Trial& parent, double reduction) {
    return try_model(std::move(purpose), pruned_recipe(parent, reduction), reduction);
}

/// Null if a command says that it cannot do what the recipe asks of it.
const Trial* Search::try_model(std::string purpose, ModelRecipe recipe, double reduction) {
    try {
        return &try_recipe(std::move(purpose), std::move(recipe), reduction);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::usage) throw;
        return nullptr;
    }
}

/// A rung where the expected upper bound on the test images reaches the promise, unless there is one.
bool Search::fill_gap() {
    if (fills_ == most_fills) return false;
    constexpr double near = 0.12;
    const double wanted =
        std::min(prediction_.safe_reach(settings_.promise.max_drop, settings_.test_images), path_.goal());
    const Trial* parent = &trials_.front();
    for (const Trial& trial : trials_) {
        if (std::abs(trial.reduction - wanted) < near) return false;
        if (trial.reduction < wanted && trial.reduction > parent->reduction) parent = &trial;
    }
    if (wanted < near) return false;
    ++fills_;
    return try_cut("where the promise is expected to end", Trial(*parent), wanted) != nullptr;
}

/// The smallest model whose drop is within the promise or, with limits, the best within them.
const Trial* Search::best() const {
    const bool limited = settings_.promise.max_ms || settings_.promise.max_mb;
    const Trial* best = nullptr;
    for (const Trial& trial : trials_) {
        if (!trial.size.empty() || trial.reduction == 0) continue;
        const double drop = converter::drop(trial.held_out);
        const bool loses_too_much = drop > settings_.promise.max_drop;
        if (limited ? !within_limits(settings_.promise, trial.cost) : loses_too_much) continue;
        const bool better =
            best == nullptr || (!limited && trial.reduction > best->reduction) ||
            ((limited || trial.reduction == best->reduction) && drop < converter::drop(best->held_out));
        if (better) best = &trial;
    }
    return best;
}

/// Trains the best model further; false if that was done before.
bool Search::train_longer() {
    const Trial* const trial = best();
    if (trial == nullptr || trainings(trial->recipe) >= most_trainings || was_trained_further(*trial)) {
        return false;
    }
    ModelRecipe recipe = before_quantization(trial->recipe);
    recipe.push_back(training_stage());
    recipe.push_back(quantize_stage());
    try_recipe("trained for longer", recipe, double{trial->reduction});
    return true;
}

bool Search::was_trained_further(const Trial& trial) const {
    ModelRecipe longer = before_quantization(trial.recipe);
    longer.push_back(training_stage());
    return std::any_of(trials_.begin(), trials_.end(),
                       [&longer](const Trial& other) { return before_quantization(other.recipe) == longer; });
}

/// The models of the ladder at smaller inputs; only judging them takes time.
void Search::add_sizes() {
    const std::size_t made = trials_.size();
    for (std::size_t i = 1; i < settings_.sizes.size(); ++i) {
        for (std::size_t trial = 0; trial < made && has_time(); ++trial) {
            if (converter::drop(trials_[trial].held_out) > settings_.promise.max_drop) continue;
            ModelRecipe recipe = trials_[trial].recipe;
            recipe.push_back({"convert", {"--size", settings_.sizes[i]}});
            if (settings_.packs) recipe.back().options.emplace_back("--pack");
            try_recipe("at a smaller size", recipe, trials_[trial].reduction, settings_.sizes[i]);
        }
    }
}

/// The best model with weights of fewer bits, while that costs little.
void Search::spare_bits() {
    const Trial* const trial = best();
    if (trial == nullptr) return;
    const ModelRecipe trained = before_quantization(trial->recipe);
    const double reduction = trial->reduction;
    const double most = std::max(converter::drop(trial->held_out), 0.0) + settings_.promise.max_drop / 2;
    for (const char* bits : {"6", "5", "4", "3"}) {
        if (is_full()) return;
        if (workshop_.seconds() + bits_seconds() / bit_trials +
                workshop_.closing_seconds(trials_.size() + 1) >
            settings_.budget_seconds) {
            return;
        }
        ModelRecipe recipe = trained;
        recipe.push_back(quantize_stage());
        recipe.back().options.insert(recipe.back().options.end(),
                                     {"--weight-bits", bits, "--rounding", "error"});
        const Trial* const fewer = try_model("weights of " + std::string(bits) + " bits", recipe, reduction);
        if (fewer == nullptr || converter::drop(fewer->held_out) > most) return;
    }
}

/// What spare_bits() takes: the first model's quantisation and judgement, four times.
double Search::bits_seconds() const {
    return settings_.packs ? bit_trials * trials_.front().seconds : 0;
}

Stage Search::training_stage() const {
    Stage stage{"finetune", {}};
    if (!settings_.epochs.empty()) stage.options.insert(stage.options.end(), {"--epochs", settings_.epochs});
    if (!settings_.seed.empty()) stage.options.insert(stage.options.end(), {"--seed", settings_.seed});
    return stage;
}

ModelRecipe Search::pruned_recipe(const Trial& parent, double reduction) const {
    ModelRecipe recipe = before_quantization(parent.recipe);
    const bool is_correction = parent.reduction >= path_.goal();
    const Cost target = is_correction ? path_.correction(parent.cost) : path_.at(reduction);
    Stage stage{"prune",
                {"--criterion", "activation", "--dense", "--round-to", std::to_string(settings_.round_to)}};
    if (target.ms > 0) {
        stage.options.insert(stage.options.end(),
                             {"--target-ms", significant(target.ms, 4), "--cost-size", settings_.cost_size});
    }
    if (target.mb > 0) {
        const double plain = target.mb / packed_share(parent, is_correction);
        stage.options.insert(stage.options.end(), {"--target-mb", significant(plain, 4)});
    }
    recipe.push_back(std::move(stage));
    if (settings_.trains) recipe.push_back(training_stage());
    recipe.push_back(quantize_stage());
    return recipe;
}

const Trial& Search::try_recipe(std::string purpose, ModelRecipe recipe, double reduction,
                                const std::string& size) {
    Trial trial;
    trial.number = trials_.size() + 1;
    trial.purpose = std::move(purpose);
    trial.recipe = std::move(recipe);
    trial.size = size;
    trial.reduction = reduction;
    trial.predicted_drop = prediction_.drop(reduction);
    workshop_.make(trial);
    // Other sizes and fewer bits are other kinds of reduction.
    if (size.empty() && !trial.recipe.back().has("--weight-bits")) prediction_.add(reduction, trial.held_out);
    trials_.push_back(std::move(trial));
    if (made_) made_(*this);
    return trials_.back();
}

}  // namespace vgg19::tools
