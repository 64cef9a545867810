// For tests: checkpoints with names and shapes alone.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "converter/import/modules.h"
#include "converter/import/names.h"
#include "engine/model/network.h"
#include "engine/testing/error_of.h"

namespace vgg19::converter::testing {

using Shape = std::vector<std::size_t>;

inline std::vector<model::ConvolutionLayer> convolutions_of(int depth) {
    return model::Network::vgg(depth).convolutions();
}

/// Tensors with names and shapes; their values are never read.
class Checkpoint {
  public:
    Checkpoint& add(const std::string& name, const Shape& shape) {
        tensors_.push_back({.name = name, .shape = shape, .strides = contiguous_strides(shape)});
        return *this;
    }
    Checkpoint& add_layer(const std::string& module, const Shape& weight, bool bias = true) {
        add(module + ".weight", weight);
        return bias ? add(module + ".bias", {weight[0]}) : *this;
    }
    Checkpoint& add_norm(const std::string& module, std::size_t channels) {
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            add(module + part, {channels});
        }
        return add(module + ".num_batches_tracked", {});
    }
    /// All convolutions have width 4; `name` gives the k-th one's name.
    Checkpoint& add_convolutions(int depth, const std::function<std::string(std::size_t)>& name,
                                 bool bias = true) {
        const auto layers = convolutions_of(depth);
        for (std::size_t k = 0; k < layers.size(); ++k) {
            add_layer(name(k), {4, k == 0 ? 3U : 4U, 3, 3}, bias);
        }
        return *this;
    }
    Checkpoint& add_features(int depth, const std::string& container, bool bias = true) {
        const auto layers = convolutions_of(depth);
        return add_convolutions(
            depth, [&](std::size_t k) { return container + '.' + std::to_string(layers[k].features_index); },
            bias);
    }
    /// A whole VGG with one dense layer that reads 1×1 pixels.
    Checkpoint& add_vgg(int depth, const std::string& prefix, std::size_t classes) {
        return add_features(depth, prefix + "features").add_layer(prefix + "classifier", {classes, 4});
    }
    Checkpoint& remove(const std::string& name) {
        std::erase_if(tensors_, [&](const StoredTensor& stored) { return stored.name == name; });
        return *this;
    }
    StoredTensor& tensor(const std::string& name) {
        return *std::find_if(tensors_.begin(), tensors_.end(),
                             [&](const StoredTensor& stored) { return stored.name == name; });
    }

    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    VggTensors found(const std::string& key = "") const {
        return recognise_vgg(modules_of(tensors_), "file", key);
    }
    std::string problem(const std::string& key = "") const {
        return vgg19::testing::error_of(ErrorKind::bad_input, [&] { found(key); });
    }

  private:
    std::vector<StoredTensor> tensors_;
};

/// "conv3_2" and so on.
inline std::string literature_name(int depth, std::size_t k, const std::string& kind,
                                   const std::string& separator) {
    const auto layers = convolutions_of(depth);
    std::size_t block = 1;
    std::size_t place = 1;
    for (std::size_t i = 0; i < k; ++i) {
        place = layers[i].pool_follows ? 1 : place + 1;
        block += layers[i].pool_follows ? 1U : 0U;
    }
    return kind + std::to_string(block) + separator + std::to_string(place);
}

}  // namespace vgg19::converter::testing
