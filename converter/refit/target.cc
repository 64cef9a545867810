#include "converter/refit/target.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// A possible width of a layer, and its expected squared error.
struct Choice {
    std::size_t width = 0;
    double squared_error = 0;
};
struct LayerChoices {
    std::size_t convolution = 0;
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
    LayerChoices result = {layer.convolution, {{channels, 0}}};
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

std::vector<std::size_t> widths_of(const model::Network& network, const std::vector<LayerChoices>& layers) {
    std::vector<std::size_t> widths;
    for (const auto& layer : network.convolutions()) widths.push_back(layer.output_channels);
    for (const LayerChoices& layer : layers) widths[layer.convolution] = layer.choices[layer.chosen].width;
    return widths;
}

struct Step {
    std::size_t layer = 0;
    double error_per_mac = std::numeric_limits<double>::infinity();
};

/// The layer with the best next step. A step that pays off only together with later ones is judged with them.
std::optional<Step> best_step(const model::Network& network, const std::vector<LayerChoices>& layers,
                              MapSize input_size) {
    std::vector<std::size_t> widths = widths_of(network, layers);
    const auto now = static_cast<double>(network.with_widths(widths).macs(input_size));
    std::optional<Step> best;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerChoices& layer = layers[i];
        const std::size_t old_width = widths[layer.convolution];
        for (std::size_t next = layer.chosen + 1; next < layer.choices.size(); ++next) {
            widths[layer.convolution] = layer.choices[next].width;
            const double saved = now - static_cast<double>(network.with_widths(widths).macs(input_size));
            const double error =
                layer.choices[next].squared_error - layer.choices[layer.chosen].squared_error;
            if (!best || error / saved < best->error_per_mac) best = {i, error / saved};
        }
        widths[layer.convolution] = old_width;
    }
    return best;
}

}  // namespace

std::vector<std::size_t> removed_for_target(const model::Network& network,
                                            const std::vector<LayerScan>& layers, const MacTarget& target) {
    if (!(target.share > 0 && target.share <= 1)) {  // not "share <= 0 || …": NaN must fail
        throw Error(ErrorKind::usage,
                    "share of the work to keep: expected more than 0 and at most 1, found " +
                        std::to_string(target.share));
    }
    std::vector<LayerChoices> choices;
    choices.reserve(layers.size());
    for (const LayerScan& layer : layers) {
        choices.push_back(
            choices_of(layer, network.convolutions()[layer.convolution].output_channels, target.round_to));
    }
    const auto whole = static_cast<double>(network.macs(target.input_size));
    const auto remaining = [&] {
        const auto macs = network.with_widths(widths_of(network, choices)).macs(target.input_size);
        return static_cast<double>(macs) / whole;
    };
    while (remaining() > target.share) {
        const std::optional<Step> step = best_step(network, choices, target.input_size);
        if (!step) {
            throw Error(ErrorKind::usage, "share of the work to keep: expected at least " +
                                              std::to_string(remaining()) +
                                              ", which is all that the chosen layers can give, found " +
                                              std::to_string(target.share));
        }
        ++choices[step->layer].chosen;
    }
    const std::vector<std::size_t> widths = widths_of(network, choices);
    std::vector<std::size_t> removed;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        removed.push_back(network.convolutions()[i].output_channels - widths[i]);
    }
    return removed;
}

}  // namespace vgg19::converter
