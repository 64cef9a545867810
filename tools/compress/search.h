// The search for the smallest model within a promise.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/compress/drop_prediction.h"
#include "tools/compress/model_recipe.h"
#include "tools/compress/options.h"

namespace vgg19::tools {

/// What a model costs.
struct Cost {
    double ms = 0;  ///< one image, by the planner's cost model
    double mb = 0;  ///< 10^6 bytes of its file
};

/// A model that the search has made.
struct Trial {
    std::size_t number = 0;  ///< from 1, in the order of making
    std::string purpose;     ///< why it was made, for people
    ModelRecipe recipe;
    std::string size;           ///< of its input; "" is the baseline's
    double reduction = 0;       ///< what its recipe aims at, on the CostPath
    double predicted_drop = 0;  ///< before it was made
    Cost cost;
    double plain_mb = 0;  ///< before its file was packed
    converter::PairedCounts held_out;
    double seconds = 0;  ///< what making and judging it took
};

/// The costs that the search descends through: `reduction` r means that time is e^-r of the start's and bytes
/// are e^-(p r). With both limits, p is such that they are met together; without any it is 2, because most
/// bytes are in dense layers, whose outputs can be spared more easily than filters.
class CostPath {
  public:
    CostPath() = default;
    CostPath(const Promise& promise, const Cost& start);

    /// Not above 0 where there is no target.
    Cost at(double reduction) const;
    /// The reduction at which all limits hold, which may be 0; the longest one without limits.
    double goal() const { return goal_; }

    /// How much further a model of this cost has to go; 0 where the limits hold. What a cut really leaves may
    /// be a little more than it aims at.
    double missing(const Cost& cost) const;
    /// The targets of a cut beyond goal(), of a model of this cost: the limits that do not hold yet.
    Cost correction(const Cost& cost) const;

  private:
    Cost start_;
    Cost limits_;  ///< 0 where there is none
    bool in_time_ = true;
    bool in_bytes_ = true;
    double bytes_exponent_ = 2;
    double goal_ = 0;
};

/// The last stage of every model, and all of the first one's recipe.
Stage int8_stage(bool packs);

/// Makes and measures models; a test has one of its own.
class Workshop {
  public:
    virtual ~Workshop() = default;
    /// Makes the model of `trial.recipe`, and fills in its cost, counts and seconds. Throws Error (usage) if
    /// there is not as much to remove.
    virtual void make(Trial& trial) = 0;
    /// All steps until now.
    virtual double seconds() const = 0;
    /// The expected time for judging and timing so many models at the end.
    virtual double closing_seconds(std::size_t models) const = 0;
};

struct SearchSettings {
    Promise promise;
    double test_images = 0;
    double budget_seconds = 0;
    std::optional<std::size_t> most_models;
    std::vector<std::string> sizes = {""};
    std::string epochs;  ///< of each training; "": its default
    std::string seed;
    bool trains = true;
    std::size_t round_to = 16;  ///< widths are multiples of it
    std::string cost_size;      ///< of the input whose time is limited
    bool packs = false;         ///< files are packed, so that weights of fewer bits take fewer bytes
};

/// Descends a ladder: each rung is pruned from the one before and trained towards the baseline, then judged
/// in INT8 on held-out images. The step to the next rung grows while the drop is what was predicted, and is
/// halved where it was more. The ladder ends where the limits are met, where the expected drop passes the
/// promise, or where the time is over; then rungs are added where the promise is expected to end, and trained
/// for longer.
class Search {
  public:
    Search(SearchSettings settings, Workshop& workshop);

    /// Calls `made` after each trial.
    void run(const std::function<void(const Search&)>& made = {});

    /// Makes this model alone.
    void try_only(const ModelRecipe& recipe, const std::string& size,
                  const std::function<void(const Search&)>& made = {});

    const std::vector<Trial>& trials() const { return trials_; }
    const DropPrediction& prediction() const { return prediction_; }

  private:
    bool is_full() const;  ///< of models
    bool has_time(double reserved = 0) const;
    const Trial& deepest() const;
    std::optional<double> next_rung() const;
    bool add_rung(double reduction);
    const Trial* try_model(std::string purpose, ModelRecipe recipe, double reduction);
    const Trial* try_cut(std::string purpose, const Trial& parent, double reduction);
    bool go_on();
    bool fill_gap();
    bool train_longer();
    bool was_trained_further(const Trial& trial) const;
    void add_sizes();
    const Trial* best() const;
    void spare_bits();
    Stage quantize_stage() const { return int8_stage(settings_.packs); }
    double bits_seconds() const;
    Stage training_stage() const;
    ModelRecipe pruned_recipe(const Trial& parent, double reduction) const;
    const Trial& try_recipe(std::string purpose, ModelRecipe recipe, double reduction,
                            const std::string& size = "");

    SearchSettings settings_;
    Workshop& workshop_;
    std::vector<Trial> trials_;
    DropPrediction prediction_;
    double step_;
    bool is_exhausted_ = false;  ///< prune has nothing more to remove
    std::size_t fills_ = 0;
    CostPath path_;
    std::function<void(const Search&)> made_;
};

/// Whether the limits on time and bytes hold.
bool within_limits(const Promise& promise, const Cost& cost);

}  // namespace vgg19::tools
