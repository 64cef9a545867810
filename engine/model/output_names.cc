#include "engine/model/output_names.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr std::size_t first_dense_number = pools + 1;

/// "classifier.6" → 6; of a factor, such as "classifier.3.1", the index of both.
std::string classifier_module(const std::string& layer) {
    const std::size_t begin = layer.find('.') + 1;
    return layer.substr(begin, layer.find('.', begin) - begin);
}

std::string module_after(const std::string& module, std::size_t steps) {
    return "classifier." + std::to_string(std::stoul(module) + steps);
}

void add_convolutions(const Network& network, std::vector<NetworkOutput>& outputs) {
    std::size_t block = 1;
    std::size_t in_block = 0;
    for (std::size_t i = 0; i < network.convolutions().size(); ++i) {
        const ConvolutionLayer& layer = network.convolutions()[i];
        const std::string place = std::to_string(block) + "_" + std::to_string(++in_block);
        const auto module = [&](std::size_t steps) {
            return "features." + std::to_string(layer.features_index + steps);
        };
        outputs.push_back({OutputKind::convolution, i, {module(0), "conv" + place}});
        outputs.push_back({OutputKind::relu, i, {module(1), "relu" + place}});
        if (!layer.pool_follows) continue;
        outputs.push_back({OutputKind::pool, i, {module(2), "pool" + std::to_string(block)}});
        ++block;
        in_block = 0;
    }
}

void add_dense_layers(const Network& network, std::vector<NetworkOutput>& outputs) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < network.ranks().size(); ++i, ++index) {
        const std::string number = std::to_string(first_dense_number + i);
        std::vector<std::string> names;
        if (network.ranks()[i] > 0) {
            outputs.push_back({OutputKind::dense, index, {network.dense_layers()[index].name}});
            names = {network.dense_layers()[++index].name};
        }
        const DenseLayer& layer = network.dense_layers()[index];
        const std::string module = classifier_module(layer.name);
        names.push_back(module_after(module, 0));
        names.push_back("fc" + number);
        if (index + 1 == network.dense_layers().size()) names.emplace_back("logits");
        outputs.push_back({OutputKind::dense, index, names});
        if (!layer.relu_follows) continue;
        outputs.push_back({OutputKind::dense_relu,
                           index,
                           {module_after(module, 1), module_after(module, 2), "relu" + number}});
    }
}

bool has_name(const NetworkOutput& output, std::string_view name) {
    return std::find(output.names.begin(), output.names.end(), name) != output.names.end();
}

}  // namespace

std::vector<NetworkOutput> network_outputs(const Network& network) {
    std::vector<NetworkOutput> outputs;
    add_convolutions(network, outputs);
    if (!network.has_classifier()) return outputs;
    outputs.push_back({OutputKind::average_pool, 0, {"avgpool"}});
    add_dense_layers(network, outputs);
    outputs.push_back({OutputKind::probabilities, network.dense_layers().size() - 1, {"probabilities"}});
    return outputs;
}

NetworkOutput network_output(const Network& network, std::string_view name) {
    std::string known;
    for (NetworkOutput& output : network_outputs(network)) {
        if (has_name(output, name)) return output;
        std::string others;
        for (std::size_t i = 1; i < output.names.size(); ++i) {
            others += (others.empty() ? " (" : ", ") + output.names[i];
        }
        known += (known.empty() ? "" : ", ") + output.names.front() + others + (others.empty() ? "" : ")");
    }
    throw Error(ErrorKind::usage,
                "output \"" + std::string(name) + "\": not in this model; expected one of " + known);
}

bool belongs_to_classifier(std::string_view name) {
    const std::vector<NetworkOutput> outputs = network_outputs(Network::vgg(19));
    return name.starts_with("classifier.") ||
           std::any_of(outputs.begin(), outputs.end(), [&](const NetworkOutput& output) {
               return !is_map(output.kind) && has_name(output, name);
           });
}

std::string default_output(const Network& network) {
    if (network.has_classifier()) return "logits";
    return network_outputs(network).back().names.back();
}

bool is_computed_by(const NetworkOutput& output, const NetworkOutput& last) {
    // Kinds of convolutions precede the average pool and those of dense layers.
    const auto place = [](const NetworkOutput& of) {
        const std::size_t part = is_map(of.kind) ? 0 : of.kind == OutputKind::average_pool ? 1 : 2;
        return std::tuple(part, of.layer, of.kind);
    };
    return place(output) <= place(last);
}

OutputShape output_shape(const Network& network, const NetworkOutput& output, MapSize input_size) {
    if (!is_map(output.kind) && output.kind != OutputKind::average_pool) {
        return {network.dense_layers()[output.layer].outputs, 1};
    }
    if (output.kind == OutputKind::average_pool) {
        return {network.convolutions().back().output_channels, MapSize(network.pooled_side())};
    }
    const ConvolutionLayer& layer = network.convolutions()[output.layer];
    const MapSize size = network.map_size(layer, input_size);
    return {layer.output_channels, output.kind == OutputKind::pool ? size.halved() : size};
}

std::size_t smallest_input_of(const Network& network, const NetworkOutput& output) {
    std::size_t smallest = 1;
    for (std::size_t i = 0; i < network.convolutions().size(); ++i) {
        const NetworkOutput pool = {OutputKind::pool, i, {}};
        if (network.convolutions()[i].pool_follows && is_computed_by(pool, output)) smallest *= 2;
    }
    return std::max(smallest, smallest_features_input);
}

}  // namespace vgg19::model
