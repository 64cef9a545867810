#include "converter/import/keras/keras.h"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <string_view>
#include <utility>

#include "converter/import/byte_reader.h"
#include "converter/import/dense_chain.h"
#include "converter/import/hdf5/hdf5_file.h"
#include "converter/import/keras/keras_config.h"
#include "converter/import/keras/keras_weights.h"
#include "converter/import/modules.h"
#include "converter/import/zip_archive.h"
#include "engine/model/file_kind.h"
#include "engine/model/json_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

constexpr std::string_view weights_entry = "model.weights.h5";
constexpr std::string_view config_entry = "config.json";

bool is_keras_file(const model::MappedFile& file) {
    const model::FileKind kind = model::kind_of_file(file.bytes());
    if (kind != model::FileKind::zip) return kind == model::FileKind::hdf5;
    try {
        OwnedBytes owned;
        return ZipArchive(file, owned).contains(weights_entry);
    } catch (const Error&) {
        return false;  // PyTorch's reader says what is wrong with it
    }
}

/// Names that Keras gave, "conv2d", "conv2d_1", "batch_normalization_7", become a kind and the place in its
/// order, because the first has no number, and later networks of one process begin with others.
void number_layers(std::vector<KerasLayer>& layers) {
    static const std::regex pattern("(conv2d|convolution2d|batch_?normalization|dense)(?:_([0-9]{1,6}))?");
    std::map<std::string, std::map<int, KerasLayer*>> kinds;
    for (KerasLayer& layer : layers) {
        constexpr std::size_t longest = 64;
        std::smatch found;
        if (layer.name.size() > longest || !std::regex_match(layer.name, found, pattern)) continue;
        const std::string kind = found[1].str().starts_with("conv") ? "conv" : found[1].str();
        kinds[kind].emplace(found[2].matched ? std::stoi(found[2].str()) : 0, &layer);
    }
    for (const auto& [kind, numbered] : kinds) {
        std::size_t place = 0;
        for (const auto& entry : numbered) entry.second->name = kind + '_' + std::to_string(place++);
    }
}

/// A file of weights alone, whose layers only their names tell apart.
void add_by_names(std::vector<KerasLayer> layers, CheckpointContents& contents) {
    std::vector<StoredTensor> tensors;
    number_layers(layers);
    for (KerasLayer& layer : layers) {
        name_norm(layer, true, true);
        for (auto& [name, tensor] : layer.parameters) {
            tensor.name = join_path(layer.name, name);
            tensors.push_back(tensor);
        }
    }
    // The first dense layer's inputs are in another order, which needs the number of channels before it.
    const std::vector<Module> modules = modules_of(tensors);
    std::size_t channels = 0;
    std::vector<const Module*> dense_modules;
    for (const Module& module : modules) {
        const Parameter* const weight = module.find("weight");
        if (weight == nullptr) continue;
        if (is_filter_3x3(module)) channels = std::max(channels, weight->shape()[0]);
        if (weight->shape().size() == 2) dense_modules.push_back(&module);
    }
    const DenseChain chain = dense_chain(dense_modules, "", channels);
    const std::string first = chain.layers.empty() ? "" : join_path(chain.layers.front()->path, "weight");
    for (StoredTensor& tensor : tensors) {
        if (tensor.name == first) order_channels_first(tensor, channels);
    }
    contents.tensors = std::move(tensors);
}

CheckpointContents read_keras(const model::MappedFile& file) {
    CheckpointContents contents;
    const std::string name = file.path().string();
    std::span<const std::byte> weights = file.bytes();
    std::optional<model::Json> config;
    const auto parse = [&](std::string_view text) {
        if (text.size() > model::largest_text_file) {
            throw Error(ErrorKind::bad_input, name + ": expected a network's configuration, found one of " +
                                                  std::to_string(text.size()) + " bytes");
        }
        config = model::Json::parse(text, name + ": " + std::string(config_entry));
    };
    if (model::kind_of_file(weights) == model::FileKind::zip) {
        ZipArchive archive(file, contents.owned);
        weights = archive.contents(weights_entry);
        if (archive.contains(config_entry)) parse(model::as_text(archive.contents(config_entry)));
    }
    Hdf5File found = read_hdf5(weights, name, {"model_config", "name"}, contents.owned);
    const auto stored = found.attributes.find({"", "model_config"});
    if (!config && stored != found.attributes.end() && stored->second.size() == 1) {
        parse(stored->second.front());
    }
    for (const std::string& array : found.unread) contents.facts.unread_tensors.push_back(printable(array));
    contents.facts.skipped = contents.facts.unread_tensors;
    contents.facts.preprocessing = "caffe";
    std::vector<KerasLayer> layers = keras_layers(found);
    if (!config) {
        constexpr double kerass_epsilon = 1e-3;
        contents.facts.usual_epsilon = kerass_epsilon;
        add_by_names(std::move(layers), contents);
        return contents;
    }
    const KerasNetwork network = keras_network(*config, std::move(layers), name);
    contents.facts.input_size = network.input_size;
    name_as_vgg(network.layers, name, contents);
    return contents;
}

}  // namespace

const ForeignFormat keras_format = {is_keras_file, read_keras, "Keras"};

}  // namespace vgg19::converter
