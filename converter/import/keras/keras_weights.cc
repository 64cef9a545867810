#include "converter/import/keras/keras_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace vgg19::converter {
namespace {

std::vector<std::string> keys_of(const std::string& path) {
    std::vector<std::string> keys(1);
    for (const char character : path) {
        if (character == '/') {
            keys.emplace_back();
        } else {
            keys.back() += character;
        }
    }
    return keys;
}

/// The name that PyTorch has for a parameter: of "kernel:0", "block1_conv1_W_1:0", "moving_mean".
std::optional<std::string> parameter_name(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, const char*>, 10> names = {
        {{"kernel", "weight"},
         {"W", "weight"},
         {"bias", "bias"},
         {"b", "bias"},
         {"gamma", "weight"},
         {"beta", "bias"},
         {"moving_mean", "running_mean"},
         {"running_mean", "running_mean"},
         {"moving_variance", "running_var"},
         {"running_std", "running_var"}}};
    name = name.substr(0, name.find(':'));
    if (name.ends_with("_1")) name.remove_suffix(2);
    for (const auto& [theirs, ours] : names) {
        const bool has_layer = name.size() > theirs.size() && name.ends_with(theirs) &&
                               name[name.size() - theirs.size() - 1] == '_';
        if (name == theirs || has_layer) return ours;
    }
    return {};
}

/// Outputs first.
StoredTensor turned(StoredTensor tensor) {
    if (tensor.shape.size() == 2) {
        std::swap(tensor.shape[0], tensor.shape[1]);
        std::swap(tensor.strides[0], tensor.strides[1]);
    } else if (tensor.shape.size() == 4) {
        const std::vector<std::size_t> shape = tensor.shape;
        const std::vector<std::size_t> strides = tensor.strides;
        constexpr std::array<std::size_t, 4> from = {3, 2, 0, 1};
        for (std::size_t i = 0; i < from.size(); ++i) {
            tensor.shape[i] = shape[from[i]];
            tensor.strides[i] = strides[from[i]];
        }
    }
    return tensor;
}

void add(const StoredTensor& tensor, const std::vector<std::string>& keys, bool is_numbered,
         KerasLayer& layer) {
    if (!is_numbered) {
        if (const auto name = parameter_name(keys.back())) layer.parameters.emplace(*name, turned(tensor));
    } else if (tensor.shape.size() > 1) {
        layer.parameters.emplace("weight", turned(tensor));
    } else if (layer.parameters.contains("weight")) {
        layer.parameters.emplace("bias", tensor);
    } else {
        layer.numbered.push_back(tensor);
    }
}

}  // namespace

std::vector<KerasLayer> keras_layers(const Hdf5File& file) {
    std::vector<KerasLayer> layers;
    std::map<std::string, std::size_t> places;  // by the group
    for (const StoredTensor& tensor : file.tensors) {
        std::vector<std::string> keys = keys_of(tensor.name);
        if (keys.size() < 2 || keys.front().starts_with("optimizer")) continue;
        const bool is_numbered = keys[keys.size() - 2] == "vars";
        const std::string group = tensor.name.substr(0, tensor.name.size() - keys.back().size() - 1);
        const auto [place, is_new] = places.emplace(group, layers.size());
        if (is_new) {
            KerasLayer& layer = layers.emplace_back();
            const std::size_t named = keys.size() - (is_numbered ? 3 : 2);
            layer.name = keys.size() > (is_numbered ? 2U : 1U) ? keys[named] : "";
            const auto name = file.attributes.find({group, "name"});
            if (is_numbered && name != file.attributes.end() && name->second.size() == 1) {
                layer.name = name->second.front();
            } else {
                layer.is_numbered_by_class = is_numbered && named > 0 && keys[named - 1] == "layers";
            }
        }
        add(tensor, keys, is_numbered, layers[place->second]);
    }
    return layers;
}

void name_norm(KerasLayer& layer, bool has_scale, bool has_center) {
    std::vector<const char*> names;
    if (has_scale) names.push_back("weight");
    if (has_center) names.push_back("bias");
    names.insert(names.end(), {"running_mean", "running_var"});
    if (layer.numbered.size() != names.size()) return;
    for (std::size_t i = 0; i < names.size(); ++i) layer.parameters.emplace(names[i], layer.numbered[i]);
    layer.numbered.clear();
}

void order_channels_first(StoredTensor& weight, std::size_t channels) {
    if (weight.shape.size() != 2 || channels == 0 || weight.shape[1] % channels != 0) return;
    const std::size_t area = weight.shape[1] / channels;
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(area))));
    if (side < 2 || side * side != area) return;
    const std::size_t stride = weight.strides[1];
    weight.shape = {weight.shape[0], channels, side, side};
    weight.strides = {weight.strides[0], stride, side * channels * stride, channels * stride};
}

}  // namespace vgg19::converter
