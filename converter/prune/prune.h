// Structured pruning: whole filters are removed, and with them what reads their output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/prune/least_squares.h"
#include "engine/model/json.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

struct PruneOptions {
    double ratio =
        0.1;  ///< of a layer's filters; round(ratio · channels) go, halves to even as PyTorch rounds
    std::vector<std::size_t>
        layers;                ///< indices in torchvision's `features`; empty: the nine deepest convolutions
    std::size_t round_to = 1;  ///< what stays is rounded up to a multiple of this
    Criterion criterion = Criterion::l2;
    std::uint64_t seed = 1;  ///< for Criterion::random
};

/// What one layer loses.
struct LayerCut {
    std::size_t features_index = 0;
    std::size_t channels = 0;          ///< before
    std::vector<std::size_t> removed;  ///< output channels, ascending
};

struct PrunePlan {
    std::vector<LayerCut> cuts;  ///< by ascending features_index
    std::string origin;          ///< how it was made, for the lineage: "prune --ratio 0.1 --layers …"

    /// {"format": "vgg19-prune-plan", "format_version": 1, "origin": …, "cuts": [{"layer": "features.16",
    /// "channels": 256, "removed": […]}]}
    model::Json to_json() const;
    /// Throws Error (bad_input) with `name` in the message.
    static PrunePlan from_json(const model::Json& json, const std::string& name);
    /// That layers and channels ascend, and that every layer keeps one. Throws as from_json does.
    void check(const std::string& name) const;
};

/// The same share of each layer's filters goes. `moments` (measure_moments) are for Criterion::activation.
/// Throws Error (usage) for options that do not fit the model, and (bad_input) for weights that are not
/// finite.
PrunePlan plan_pruning(const model::ModelFile& model, const PruneOptions& options,
                       const std::vector<LeastSquares>* moments = nullptr);

/// For each convolution of the options' layers all filters in the order in which they should go; none for
/// the others. Throws as plan_pruning does.
std::vector<std::vector<std::size_t>> removal_orders(const model::ModelFile& model,
                                                     const PruneOptions& options,
                                                     const std::vector<LeastSquares>* moments = nullptr);

/// The plan by which the first `removed[i]` of each order go.
PrunePlan plan_of_order(const model::Network& network, const std::vector<std::vector<std::size_t>>& orders,
                        const std::vector<std::size_t>& removed, std::string origin);

/// "prune AMOUNT --layers …" and the other options that differ from the defaults, for the lineage.
std::string prune_origin(const std::string& amount, const model::Network& network,
                         const PruneOptions& options);

/// What needs to see all layers at work is for models in FP32 throughout. Throws Error (usage) for others.
void require_fp32_throughout(const model::ModelFile& model);

/// Pruning is for FP32 convolutions. Throws Error (usage) for a model with one in INT8.
void require_fp32_filters(const model::ModelFile& model);

/// The same, and filters of the last convolution cannot go once the dense layer behind it is quantised: its
/// bias and scales were made for all columns. Throws Error (usage) for a plan that asks so.
void require_prunable(const model::ModelFile& model, const PrunePlan& plan);

/// The network that is left. Throws Error (bad_input) when the plan does not fit it.
model::Network pruned_network(const model::Network& network, const PrunePlan& plan);

/// Writes the model without the plan's filters, as variant "pruned" ("pruned-int8" for a model with
/// quantised dense layers), in the model's order of dense weights; the plan's origin joins the lineage. A
/// removed filter still gave ReLU(bias) everywhere: that constant, times the next layer's weights, is added
/// to the next layer's bias (for the first dense layer over all 49 columns). Exact inside the map; at its
/// border, where the next layer's padding is zero, it is an approximation.
void prune_model(const model::ModelFile& model, const PrunePlan& plan, const std::filesystem::path& output,
                 const model::Progress& progress = {});

}  // namespace vgg19::converter
