#include "converter/import/names.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using Shape = std::vector<std::size_t>;
using Named = std::map<std::string, const StoredTensor*>;

/// What is wrong with a file, so that all of it can be told at once.
using Problems = std::vector<std::string>;

/// timm's names for torchvision's dense layers, which are convolutions there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> timm_layers = {
    {{"pre_logits.fc1.", "classifier.0."},
     {"pre_logits.fc2.", "classifier.3."},
     {"head.fc.", "classifier.6."}}};

/// A VGG's layers and the names that they have in a file.
struct Layout {
    int depth;
    bool batch_norm;
    model::Network network;

    /// Where the k-th convolution is in `features`: each batch norm before it moves it on by one.
    std::size_t features_index(std::size_t k) const {
        return network.convolutions()[k].features_index + (batch_norm ? k : 0);
    }
    std::string convolution(std::size_t k) const { return "features." + std::to_string(features_index(k)); }
    std::string norm(std::size_t k) const { return "features." + std::to_string(features_index(k) + 1); }
    std::string title() const {
        return "VGG-" + std::to_string(depth) + (batch_norm ? " with batch norm" : "");
    }
};

std::vector<Layout> all_layouts() {
    std::vector<Layout> layouts;
    for (const int depth : {19, 16, 13, 11}) {
        for (const bool batch_norm : {false, true}) {
            layouts.push_back({depth, batch_norm, model::Network::vgg(depth)});
        }
    }
    return layouts;
}

struct Expected {
    std::string name;
    Shape shape;
};

/// Every tensor of the layout, with the shapes of `network`, which has its depth.
std::vector<Expected> expected_tensors(const Layout& layout, const model::Network& network) {
    std::vector<Expected> expected;
    for (std::size_t k = 0; k < network.convolutions().size(); ++k) {
        const model::ConvolutionLayer& layer = network.convolutions()[k];
        const Shape channels = {layer.output_channels};
        expected.push_back(
            {layout.convolution(k) + ".weight", {layer.output_channels, layer.input_channels, 3, 3}});
        expected.push_back({layout.convolution(k) + ".bias", channels});
        if (!layout.batch_norm) continue;
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            expected.push_back({layout.norm(k) + part, channels});
        }
    }
    for (const model::DenseLayer& layer : network.dense_layers()) {
        expected.push_back({layer.name + ".weight", {layer.outputs, layer.inputs}});
        expected.push_back({layer.name + ".bias", {layer.outputs}});
    }
    return expected;
}

bool is_batch_counter(std::string_view name) {
    return name.ends_with(".num_batches_tracked");
}

std::string torchvision_name(std::string_view name) {
    for (const auto& [theirs, ours] : timm_layers) {
        if (name.starts_with(theirs)) return std::string(ours) + std::string(name.substr(theirs.size()));
    }
    return std::string(name);
}

/// What DataParallel puts before every name.
std::string_view common_prefix(const std::vector<StoredTensor>& tensors) {
    constexpr std::string_view prefix = "module.";
    const bool everywhere = std::all_of(tensors.begin(), tensors.end(), [prefix](const StoredTensor& tensor) {
        return tensor.name.starts_with(prefix);
    });
    return everywhere ? prefix : "";
}

Named by_torchvision_name(const std::vector<StoredTensor>& tensors, const std::string& file) {
    const std::size_t prefix = common_prefix(tensors).size();
    Named named;
    for (const StoredTensor& tensor : tensors) {
        const std::string name = torchvision_name(std::string_view(tensor.name).substr(prefix));
        if (is_batch_counter(name)) continue;  // how often it was trained, which inference does not ask
        if (!named.emplace(name, &tensor).second) {
            throw Error(ErrorKind::bad_input, file + ": tensor " + printable(tensor.name) +
                                                  ": expected once, found again (as " + printable(name) +
                                                  ")");
        }
    }
    return named;
}

/// The layout with the fewest tensors missing or extra; none where the names have nothing to do with VGG's.
std::optional<Layout> best_layout(const Named& named) {
    std::optional<Layout> best;
    std::size_t most_found = 0;
    std::size_t fewest_missing = 0;
    for (Layout& layout : all_layouts()) {
        const std::vector<Expected> expected = expected_tensors(layout, layout.network);
        const auto found = static_cast<std::size_t>(
            std::count_if(expected.begin(), expected.end(),
                          [&named](const Expected& tensor) { return named.contains(tensor.name); }));
        const std::size_t missing = expected.size() - found;
        const bool better = found > most_found || (found == most_found && missing < fewest_missing);
        if (found == 0 || !better) continue;
        most_found = found;
        fewest_missing = missing;
        best = std::move(layout);
    }
    return best;
}

/// The size of a tensor's dimension, where there is such a tensor and it holds anything.
std::optional<std::size_t> dimension(const Named& named, const std::string& name, std::size_t index) {
    const auto found = named.find(name);
    if (found == named.end() || index >= found->second->shape.size()) return {};
    if (found->second->elements() == 0) return {};
    return found->second->shape[index];
}

/// How many outputs a layer has: as its weight says, else its bias, else torchvision's number.
std::size_t width(const Named& named, const std::string& layer, std::size_t otherwise) {
    const auto weight = dimension(named, layer + ".weight", 0);
    return weight ? *weight : dimension(named, layer + ".bias", 0).value_or(otherwise);
}

model::Network network_of(const Layout& layout, const Named& named, const std::string& file) {
    std::vector<std::size_t> features;
    const auto& convolutions = layout.network.convolutions();
    for (std::size_t k = 0; k < convolutions.size(); ++k) {
        features.push_back(width(named, layout.convolution(k), convolutions[k].output_channels));
        if (convolutions[k].pool_follows) features.push_back(0);
    }
    std::vector<std::size_t> classifier;
    for (const model::DenseLayer& layer : layout.network.dense_layers()) {
        classifier.push_back(width(named, layer.name, layer.outputs));
    }
    try {
        return {features, classifier};
    } catch (const Error& error) {
        throw Error(error.kind(), file + ": " + error.what());
    }
}

/// A dense weight may be a convolution's, as timm has it, over the whole map that it sees: 7×7 in the first
/// layer, 1×1 after it.
bool is_dense_convolution(const Expected& expected, const Shape& shape) {
    if (expected.shape.size() != 2 || shape.size() != 4) return false;
    const std::size_t side = expected.name == "classifier.0.weight" ? model::default_pooled_side : 1;
    return shape[0] == expected.shape[0] && shape[2] == side && shape[3] == side &&
           shape[1] == expected.shape[1] / (side * side);
}

void check_tensor(const Expected& expected, const Named& named, Problems& problems) {
    const auto found = named.find(expected.name);
    if (found == named.end()) {
        problems.push_back(expected.name + ": missing; expected " + shape_text(expected.shape));
        return;
    }
    const StoredTensor& tensor = *found->second;
    if (tensor.shape != expected.shape && !is_dense_convolution(expected, tensor.shape)) {
        problems.push_back(printable(tensor.name) + ": expected " + shape_text(expected.shape) + ", found " +
                           shape_text(tensor.shape));
    }
    if (!is_floating(tensor.dtype)) {
        problems.push_back(printable(tensor.name) + ": expected F64, F32, F16 or BF16, found " +
                           model::dtype_name(tensor.dtype));
    }
}

void check_tensors(const Layout& layout, const model::Network& network, const Named& named,
                   const std::string& file) {
    Problems problems;
    std::set<std::string_view> wanted;
    const std::vector<Expected> expected = expected_tensors(layout, network);
    for (const Expected& tensor : expected) {
        check_tensor(tensor, named, problems);
        wanted.insert(tensor.name);
    }
    for (const auto& [name, tensor] : named) {
        if (!wanted.contains(name)) {
            problems.push_back(printable(tensor->name) + ": not in a " + layout.title() + "; found " +
                               shape_text(tensor->shape));
        }
    }
    if (problems.empty()) return;
    std::string message = file + ": expected the tensors of a " + layout.title() + ", found " +
                          std::to_string(problems.size()) +
                          (problems.size() == 1 ? " problem:" : " problems:");
    for (const std::string& problem : problems) message += "\n  " + problem;
    throw Error(ErrorKind::bad_input, message);
}

const StoredTensor* at(const Named& named, const std::string& name) {
    return named.find(name)->second;
}

}  // namespace

VggTensors recognise_vgg(const std::vector<StoredTensor>& tensors, const std::string& file) {
    const Named named = by_torchvision_name(tensors, file);
    const std::optional<Layout> layout = best_layout(named);
    if (!layout) {
        throw Error(ErrorKind::bad_input,
                    file + ": expected a VGG's tensors, such as features.0.weight; found " +
                        std::to_string(tensors.size()) + " others" +
                        (tensors.empty() ? "" : ", such as " + printable(tensors[0].name)));
    }
    VggTensors vgg{.network = network_of(*layout, named, file), .batch_norm = layout->batch_norm};
    check_tensors(*layout, vgg.network, named, file);

    for (std::size_t k = 0; k < vgg.network.convolutions().size(); ++k) {
        const std::string name = layout->convolution(k);
        LayerTensors layer{.weight = at(named, name + ".weight"), .bias = at(named, name + ".bias")};
        if (layout->batch_norm) {
            const std::string norm = layout->norm(k);
            layer.batch_norm = {.weight = at(named, norm + ".weight"),
                                .bias = at(named, norm + ".bias"),
                                .mean = at(named, norm + ".running_mean"),
                                .variance = at(named, norm + ".running_var")};
        }
        vgg.layers.push_back(layer);
    }
    for (const model::DenseLayer& dense : vgg.network.dense_layers()) {
        vgg.layers.push_back(
            {.weight = at(named, dense.name + ".weight"), .bias = at(named, dense.name + ".bias")});
    }
    return vgg;
}

}  // namespace vgg19::converter
