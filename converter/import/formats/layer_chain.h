// The layers of a network in the order in which they run, as formats with a graph tell them, checked and
// named as torchvision names a VGG's.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "converter/import/stored_tensor.h"
#include "converter/import/torch_state.h"

namespace vgg19::converter {

enum class LayerKind : unsigned char {
    convolution,  ///< 3×3, zero padding 1, stride 1
    batch_norm,   ///< at inference
    relu,
    max_pool,      ///< 2×2, stride 2
    average_pool,  ///< of `side` × `side` pixels, and that stride; over the whole map if `side` is 0
    flatten,
    dense,
    other_at_end,  ///< not a VGG's, but may follow the last layer: softmax
};

struct ChainLayer {
    LayerKind kind = LayerKind::relu;
    std::string name;  ///< for messages, as the file has it; not yet printable
    std::string type;  ///< as the format calls it: "MaxPool"
    /// In PyTorch's shapes and with its names: "weight" (O, I, 3, 3), (O, I) or (O, I, height, width),
    /// "bias", "running_mean", "running_var" (O).
    std::map<std::string, StoredTensor> parameters{};
    double epsilon = 0;      ///< of a batch norm
    std::size_t side = 0;    ///< of an average pool
    bool rounds_up = false;  ///< a pool whose output has a pixel for the rest of an odd side
};

/// "conv1 (Convolution)", for messages.
std::string layer_text(const ChainLayer& layer);

/// Puts the layers' tensors into `contents.tensors` as features.0.weight, …, classifier.6.bias, in a VGG's
/// order with its gaps, and into `contents.facts` what else they say: pools, the epsilons of batch norms, the
/// names in the file. Uses `contents.facts.input_size` where a pool before the dense layers depends on it.
/// Throws Error (bad_input), with `file` in the message, for layers that are not a VGG's, or a part of it
/// from its beginning.
void name_as_vgg(const std::vector<ChainLayer>& layers, const std::string& file,
                 CheckpointContents& contents);

}  // namespace vgg19::converter
