// Structured pruning: removes whole filters, and the weights that read their output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/prune/prunable_layers.h"
#include "engine/model/json.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

struct PruneOptions {
    double ratio = 0.1;  ///< share of a layer's filters; round(ratio · channels) are removed, halves to even
                         ///< as in PyTorch
    std::vector<std::size_t>
        layers;          ///< indices in torchvision's `features`; empty means the nine deepest convolutions
    bool dense = false;  ///< also removes outputs of the classifier's hidden layers
    std::size_t round_to = 1;  ///< the number of kept filters is rounded up to a multiple of this
    Criterion criterion = Criterion::l2;
    std::uint64_t seed = 1;  ///< for Criterion::random
};

/// The channels that one layer loses.
struct LayerCut {
    std::size_t index = 0;             ///< in `features`, or in `classifier`
    std::size_t channels = 0;          ///< before
    std::vector<std::size_t> removed;  ///< output channels, ascending
    Part part = Part::features;

    std::string layer() const { return layer_name(part, index); }
};

struct PrunePlan {
    std::vector<LayerCut> cuts;  ///< sorted: convolutions by index, then hidden layers of the classifier
    std::string origin;          ///< how the plan was made, for the lineage: "prune --ratio 0.1 --layers …"

    /// {"format": "vgg19-prune-plan", "format_version": 1, "origin": …, "cuts": [{"layer": "features.16",
    /// "channels": 256, "removed": […]}]}; a hidden layer of the classifier is "classifier.0", also if it is
    /// factored.
    model::Json to_json() const;
    /// Throws Error (bad_input) with `name` in the message.
    static PrunePlan from_json(const model::Json& json, const std::string& name);
    /// Checks that layers and channels ascend, and that every layer keeps a channel. Throws as from_json
    /// does.
    void check(const std::string& name) const;
};

/// Plans to remove the same share of filters from each layer. `activation_order` is for
/// Criterion::activation. Throws Error (usage) for options that do not fit the model, and (bad_input) for
/// weights that are not finite.
PrunePlan plan_pruning(const model::ModelFile& model, const PruneOptions& options,
                       const ActivationOrder& activation_order = {});

/// For each of prunable_layers(), all its filters in order of removal; empty if it is not selected. Throws as
/// plan_pruning does.
std::vector<std::vector<std::size_t>> removal_orders(const model::ModelFile& model,
                                                     const PruneOptions& options,
                                                     const ActivationOrder& activation_order = {});

/// The plan that removes the first `removed[i]` filters of each order.
PrunePlan plan_of_order(const model::Network& network, const std::vector<std::vector<std::size_t>>& orders,
                        const std::vector<std::size_t>& removed, std::string origin);

/// "prune AMOUNT --layers …" with the other non-default options, for the lineage.
std::string prune_origin(const std::string& amount, const model::Network& network,
                         const PruneOptions& options);

/// Checks for operations that run the whole network in FP32. Throws Error (usage) for quantised models.
void require_fp32_throughout(const model::ModelFile& model);

/// Only FP32 convolutions can be pruned. Throws Error (usage) for a model with INT8 convolutions.
void require_fp32_filters(const model::ModelFile& model);

/// Like require_fp32_filters(); in addition, a quantised dense layer and the layer before it must stay whole,
/// because the bias and the scales belong to all its weights. Throws Error (usage) if the plan prunes one.
void require_prunable(const model::ModelFile& model, const PrunePlan& plan);

/// The pruned network. Throws Error (bad_input) if the plan does not fit.
model::Network pruned_network(const model::Network& network, const PrunePlan& plan);

/// Writes the model without the plan's filters, as variant "pruned" ("pruned-int8" for a model with quantised
/// dense layers), keeping the order of dense weights; the plan's origin is added to the lineage. A removed
/// filter would still output the constant ReLU(bias). That constant, multiplied by the next layer's weights,
/// is added to the next layer's bias (for the first dense layer over all 49 columns). This is exact inside
/// the map; at its border, where the next layer pads with zeros, it is an approximation.
void prune_model(const model::ModelFile& model, const PrunePlan& plan, const std::filesystem::path& output,
                 const model::Progress& progress = {});

}  // namespace vgg19::converter
