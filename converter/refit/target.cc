#include "converter/refit/target.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "converter/prune/prunable_layers.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// A possible width of a layer, and its expected squared error.
struct Choice {
    std::size_t width = 0;
    double squared_error = 0;
};
struct LayerChoices {
    std::size_t place = 0;        ///< among prunable_layers()
    std::vector<Choice> choices;  ///< by descending width; the first is the original width
    std::size_t chosen = 0;
};

double expected_error(const LayerScan& layer, double removed) {
    double before = 0;
    double squared_before = 0;
    for (const ScanPoint& point : layer.points) {
        const double squared = point.relative_l2 * point.relative_l2;
        const auto here = static_cast<double>(point.removed);
        if (removed <= here) {
            return squared_before + (squared - squared_before) * (removed - before) / (here - before);
        }
        before = here;
        squared_before = squared;
    }
    return squared_before;
}

LayerChoices choices_of(const LayerScan& layer, std::size_t channels, std::size_t round_to) {
    LayerChoices result = {layer.place, {{channels, 0}}};
    if (layer.points.empty()) return result;
    // Without a given multiple, finer steps would exceed the scan's resolution.
    constexpr std::size_t steps = 32;
    const std::size_t step = round_to > 1 ? round_to : std::max<std::size_t>(channels / steps, 1);
    const std::size_t least = std::max(channels - layer.points.back().removed, round_to);
    for (std::size_t width = (channels - 1) / step * step; width >= least && width > 0; width -= step) {
        result.choices.push_back({width, expected_error(layer, static_cast<double>(channels - width))});
    }
    return result;
}

/// The layers' present widths, and what they cost.
class Widths {
  public:
    Widths(const model::Network& network, const std::vector<CostLimit>& limits) : network_(network) {
        for (const PrunableLayer& layer : prunable_layers(network)) widths_.push_back(layer.channels);
        for (const CostLimit& limit : limits) {
            const double cost = limit.cost(network);
            const double excess = std::max(cost - limit.most, std::numeric_limits<double>::min());
            limits_.push_back({&limit, excess, cost, limit.estimate(network)});
        }
    }

    std::size_t operator[](std::size_t place) const { return widths_[place]; }
    const std::vector<std::size_t>& all() const { return widths_; }
    void set(std::size_t place, std::size_t width) {
        widths_[place] = width;
        const model::Network network = with_prunable_widths(network_, widths_);
        for (Limit& limit : limits_) {
            limit.now = limit.limit->cost(network);
            limit.estimate = limit.limit->estimate(network);
        }
    }
    /// What another width of one layer saves, in shares of the excess at the start; it may be negative.
    double saved(std::size_t place, std::size_t width) {
        const std::size_t before = std::exchange(widths_[place], width);
        const model::Network network = with_prunable_widths(network_, widths_);
        widths_[place] = before;
        double sum = 0;
        for (const Limit& limit : limits_) {
            if (!limit.holds()) sum += (limit.estimate - limit.limit->estimate(network)) / limit.excess;
        }
        return sum;
    }
    /// The first limit that does not hold; null if all do.
    const CostLimit* exceeded() const {
        const auto found =
            std::find_if(limits_.begin(), limits_.end(), [](const Limit& limit) { return !limit.holds(); });
        return found == limits_.end() ? nullptr : found->limit;
    }

  private:
    struct Limit {
        const CostLimit* limit;
        double excess;  ///< at the start
        double now;
        double estimate;  ///< CostLimit::estimate, now

        bool holds() const { return now <= limit->most; }
    };

    const model::Network& network_;
    std::vector<std::size_t> widths_;
    std::vector<Limit> limits_;
};

struct Step {
    std::size_t layer = 0;
    double error_per_cost = std::numeric_limits<double>::infinity();
};

/// The layer with the best next step. A step that pays off only together with later ones is judged with them.
std::optional<Step> best_step(const std::vector<LayerChoices>& layers, Widths& widths) {
    std::optional<Step> best;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerChoices& layer = layers[i];
        for (std::size_t next = layer.chosen + 1; next < layer.choices.size(); ++next) {
            const double saved = widths.saved(layer.place, layer.choices[next].width);
            if (saved <= 0) continue;
            const double error =
                layer.choices[next].squared_error - layer.choices[layer.chosen].squared_error;
            if (!best || error / saved < best->error_per_cost) best = {i, error / saved};
        }
    }
    return best;
}

}  // namespace

CostLimit mac_limit(const model::Network& network, double share, MapSize input_size) {
    const std::string name = "share of the work to keep";
    if (!(share > 0 && share <= 1)) {  // not "share <= 0 || …": NaN must fail
        throw Error(ErrorKind::usage,
                    name + ": expected more than 0 and at most 1, found " + std::to_string(share));
    }
    const auto whole = static_cast<double>(network.macs(input_size));
    return {name, share, [whole, input_size](const model::Network& pruned) {
                return static_cast<double>(pruned.macs(input_size)) / whole;
            }};
}

std::vector<std::size_t> removed_for_limits(const model::Network& network,
                                            const std::vector<LayerScan>& layers,
                                            const std::vector<CostLimit>& limits, std::size_t round_to) {
    const std::vector<PrunableLayer> prunable = prunable_layers(network);
    std::vector<LayerChoices> choices;
    choices.reserve(layers.size());
    for (const LayerScan& layer : layers) {
        choices.push_back(choices_of(layer, prunable[layer.place].channels, round_to));
    }
    Widths widths(network, limits);
    while (const CostLimit* exceeded = widths.exceeded()) {
        const std::optional<Step> step = best_step(choices, widths);
        if (!step) {
            const double least = exceeded->cost(with_prunable_widths(network, widths.all()));
            throw Error(ErrorKind::usage, exceeded->name + ": expected at least " + std::to_string(least) +
                                              ", which is all that the chosen layers can give, found " +
                                              std::to_string(exceeded->most));
        }
        LayerChoices& layer = choices[step->layer];
        ++layer.chosen;
        widths.set(layer.place, layer.choices[layer.chosen].width);
    }
    std::vector<std::size_t> removed;
    for (std::size_t i = 0; i < prunable.size(); ++i) removed.push_back(prunable[i].channels - widths[i]);
    return removed;
}

}  // namespace vgg19::converter
