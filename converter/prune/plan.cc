#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "converter/lineage.h"
#include "converter/prune/prune.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json_file.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::string_view plan_format = "vgg19-prune-plan";
constexpr std::uint64_t plan_format_version = 1;
constexpr std::size_t default_layers = 9;

template <class Values>
std::string joined(const Values& values, char separator) {
    std::string text;
    for (const auto& value : values) {
        if (!text.empty()) text += separator;
        text += std::to_string(value);
    }
    return text;
}

// ---- options ----

std::vector<std::size_t> convolution_indices(const model::Network& network) {
    std::vector<std::size_t> indices;
    for (const auto& layer : network.convolutions()) indices.push_back(layer.features_index);
    return indices;
}

/// The selected layers, ascending.
std::set<std::size_t> chosen_layers(const model::Network& network, const std::vector<std::size_t>& wanted) {
    const auto all = convolution_indices(network);
    if (wanted.empty()) {
        return {all.end() - static_cast<std::ptrdiff_t>(std::min(default_layers, all.size())), all.end()};
    }
    std::set<std::size_t> chosen;
    for (const auto index : wanted) {
        if (std::find(all.begin(), all.end(), index) == all.end()) {
            throw Error(ErrorKind::usage, "layers to prune: expected convolutions (" + joined(all, ' ') +
                                              "), found " + std::to_string(index));
        }
        if (!chosen.insert(index).second) {
            throw Error(ErrorKind::usage, "layers to prune: expected each layer once, found " +
                                              std::to_string(index) + " again");
        }
    }
    return chosen;
}

bool is_chosen(const PrunableLayer& layer, const std::set<std::size_t>& convolutions,
               const PruneOptions& options) {
    return layer.part == Part::features ? convolutions.contains(layer.index) : options.dense;
}

void check_ratio_and_rounding(const PruneOptions& options) {
    if (!(options.ratio >= 0 && options.ratio < 1)) {  // not "ratio < 0 || …": NaN must fail
        throw Error(ErrorKind::usage,
                    "ratio of filters to prune: expected at least 0 and less than 1, found " +
                        std::to_string(options.ratio));
    }
    if (options.round_to == 0) {
        throw Error(ErrorKind::usage, "multiple to round widths to: expected at least 1, found 0");
    }
}

std::size_t removed_count(const PrunableLayer& layer, const PruneOptions& options) {
    const std::size_t channels = layer.channels;
    // The default rounding mode rounds halves to even, as Python's round() does.
    const auto removed =
        static_cast<std::size_t>(std::nearbyint(options.ratio * static_cast<double>(channels)));
    if (removed >= channels) {
        throw Error(ErrorKind::usage, layer.name() + ": expected a ratio that leaves at least one of " +
                                          std::to_string(channels) + " filters, found " +
                                          std::to_string(options.ratio));
    }
    if (removed == 0) return 0;
    const std::size_t over = (channels - removed) % options.round_to;
    const std::size_t added = over == 0 ? 0 : options.round_to - over;
    return added < removed ? removed - added : 0;
}

// ---- lineage ----

std::string origin_of(const std::string& amount, const PruneOptions& options,
                      const std::set<std::size_t>& layers) {
    std::string origin = surgery_name(Surgery::prune) + (" " + amount) + " --layers " + joined(layers, ',');
    if (options.dense) origin += " --dense";
    if (options.round_to > 1) origin += " --round-to " + std::to_string(options.round_to);
    if (options.criterion != Criterion::l2) {
        origin += " --criterion " + std::string(criterion_name(options.criterion));
    }
    if (options.criterion == Criterion::random) origin += " --seed " + std::to_string(options.seed);
    return origin;
}

// ---- JSON ----

[[noreturn]] void fail(const std::string& place, const std::string& problem) {
    throw Error(ErrorKind::bad_input, place + ": " + problem);
}

using model::member;

const std::string& string_member(const model::Json& json, std::string_view key, const std::string& place) {
    const model::Json& value = member(json, key, place);
    if (!value.is_string()) {
        fail(place,
             "expected a string in \"" + std::string(key) + "\", found " + model::printable(value.dump()));
    }
    return value.string();
}

const model::Json::Array& array_member(const model::Json& json, std::string_view key,
                                       const std::string& place) {
    const model::Json& value = member(json, key, place);
    if (!value.is_array()) {
        fail(place,
             "expected an array in \"" + std::string(key) + "\", found " + model::printable(value.dump()));
    }
    return value.array();
}

std::size_t whole_number(const model::Json& value, const std::string& place) {
    try {
        return value.size();
    } catch (const Error&) {
        fail(place, "expected a whole number that is not negative, found " + model::printable(value.dump()));
    }
}

/// Sets the part and the index. Any index of either list is well-formed; whether the network has that layer
/// is for pruned_network() to say.
void set_layer(LayerCut& cut, const std::string& layer, const std::string& place) {
    for (const Part part : {Part::features, Part::classifier}) {
        const std::size_t prefix = layer_name(part, 0).size() - 1;
        if (layer.size() <= prefix) continue;
        cut.part = part;
        std::from_chars(layer.data() + prefix, layer.data() + layer.size(), cut.index);
        if (cut.layer() == layer) return;
    }
    fail(place,
         R"(expected a layer such as "features.16" or "classifier.0", found )" + model::in_quotes(layer));
}

LayerCut cut_from_json(const model::Json& json, const std::string& place) {
    LayerCut cut;
    set_layer(cut, string_member(json, "layer", place), place);
    cut.channels = whole_number(member(json, "channels", place), place + ": channels");
    for (const auto& channel : array_member(json, "removed", place)) {
        cut.removed.push_back(whole_number(channel, place + ": removed"));
    }
    return cut;
}

}  // namespace

PrunePlan plan_of_order(const model::Network& network, const std::vector<std::vector<std::size_t>>& orders,
                        const std::vector<std::size_t>& removed, std::string origin) {
    PrunePlan plan;
    plan.origin = std::move(origin);
    const std::vector<PrunableLayer> layers = prunable_layers(network);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        if (orders[i].empty()) continue;
        LayerCut cut = {layers[i].index, layers[i].channels, orders[i], layers[i].part};
        cut.removed.resize(removed[i]);
        std::sort(cut.removed.begin(), cut.removed.end());
        plan.cuts.push_back(std::move(cut));
    }
    return plan;
}

std::string prune_origin(const std::string& amount, const model::Network& network,
                         const PruneOptions& options) {
    return origin_of(amount, options, chosen_layers(network, options.layers));
}

PrunePlan plan_pruning(const model::ModelFile& model, const PruneOptions& options,
                       const ActivationOrder& activation_order) {
    check_ratio_and_rounding(options);
    require_fp32_filters(model);
    const model::Network& network = model.network();
    const auto chosen = chosen_layers(network, options.layers);
    std::vector<std::size_t> removed;
    for (const PrunableLayer& layer : prunable_layers(network)) {
        removed.push_back(is_chosen(layer, chosen, options) ? removed_count(layer, options) : 0);
    }
    PrunePlan plan = plan_of_order(network, removal_orders(model, options, activation_order), removed,
                                   origin_of("--ratio " + shortest_text(options.ratio), options, chosen));
    require_prunable(model, plan);
    return plan;
}

std::vector<std::vector<std::size_t>> removal_orders(const model::ModelFile& model,
                                                     const PruneOptions& options,
                                                     const ActivationOrder& activation_order) {
    const auto chosen = chosen_layers(model.network(), options.layers);
    const std::vector<PrunableLayer> layers = prunable_layers(model.network());
    std::vector<std::vector<std::size_t>> orders(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!is_chosen(layers[i], chosen, options)) continue;
        orders[i] = removal_order(model, i, options.criterion, options.seed, activation_order);
    }
    return orders;
}

void PrunePlan::check(const std::string& name) const {
    const LayerCut* previous = nullptr;
    for (const auto& cut : cuts) {
        const std::string place = name + ": " + cut.layer();
        if (previous != nullptr &&
            std::pair(cut.part, cut.index) <= std::pair(previous->part, previous->index)) {
            fail(place, "expected layers in ascending order, each once; found it after " + previous->layer());
        }
        previous = &cut;
        if (cut.removed.size() >= cut.channels) {
            fail(place, "expected at least one channel to stay, found " + std::to_string(cut.removed.size()) +
                            " of " + std::to_string(cut.channels) + " removed");
        }
        for (std::size_t i = 0; i < cut.removed.size(); ++i) {
            if (cut.removed[i] >= cut.channels) {
                fail(place, "expected removed channels below " + std::to_string(cut.channels) + ", found " +
                                std::to_string(cut.removed[i]));
            }
            if (i > 0 && cut.removed[i] <= cut.removed[i - 1]) {
                fail(place, "expected removed channels in ascending order, found " +
                                std::to_string(cut.removed[i]) + " after " +
                                std::to_string(cut.removed[i - 1]));
            }
        }
    }
}

model::Json PrunePlan::to_json() const {
    model::Json json;
    json.set("format", plan_format);
    json.set("format_version", plan_format_version);
    json.set("origin", origin);
    model::Json cut_list{model::Json::Array{}};
    for (const auto& cut : cuts) {
        model::Json removed{model::Json::Array{}};
        for (const auto channel : cut.removed) removed.push(std::uint64_t{channel});
        model::Json item;
        item.set("layer", cut.layer());
        item.set("channels", std::uint64_t{cut.channels});
        item.set("removed", std::move(removed));
        cut_list.push(std::move(item));
    }
    json.set("cuts", std::move(cut_list));
    return json;
}

PrunePlan PrunePlan::from_json(const model::Json& json, const std::string& name) {
    const std::string& format = string_member(json, "format", name);
    if (format != plan_format) {
        fail(name,
             "expected the format \"" + std::string(plan_format) + "\", found " + model::in_quotes(format));
    }
    const auto version = whole_number(member(json, "format_version", name), name + ": format_version");
    if (version != plan_format_version) {
        fail(name, "expected format version " + std::to_string(plan_format_version) + ", found " +
                       std::to_string(version));
    }
    PrunePlan plan;
    plan.origin = string_member(json, "origin", name);
    const auto& cut_list = array_member(json, "cuts", name);
    for (std::size_t i = 0; i < cut_list.size(); ++i) {
        plan.cuts.push_back(cut_from_json(cut_list[i], name + ": cuts[" + std::to_string(i) + "]"));
    }
    plan.check(name);
    return plan;
}

}  // namespace vgg19::converter
