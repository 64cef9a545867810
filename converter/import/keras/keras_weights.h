// The layers' weights in a file of Keras.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/hdf5/hdf5_file.h"
#include "converter/import/stored_tensor.h"

namespace vgg19::converter {

/// In PyTorch's shapes and under its names: a dense kernel (inputs, outputs) is a view (outputs, inputs), a
/// convolution's (3, 3, inputs, outputs) one of (outputs, inputs, 3, 3).
struct KerasLayer {
    std::string name;
    std::map<std::string, StoredTensor> parameters{};
    std::vector<StoredTensor> numbered{};  ///< parameters without names, all of one dimension
    bool is_numbered_by_class = false;     ///< the name is its class with a number, not its own
};

/// In file order. Those of an optimizer are left out.
std::vector<KerasLayer> keras_layers(const Hdf5File& file);

/// Names the parameters of a batch norm, which are gamma, beta, mean and variance in this order.
void name_norm(KerasLayer& layer, bool has_scale, bool has_center);

/// Turns the weight (outputs, inputs) of a dense layer that reads a map of `channels`, flattened with
/// channels last, into (outputs, channels, side, side). Does nothing if the inputs are no square map of them.
void order_channels_first(StoredTensor& weight, std::size_t channels);

}  // namespace vgg19::converter
