// The pickle of a state dict, as torch.save() writes it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// An OrderedDict of contiguous float32 tensors; the i-th one's values are the whole of storage "i".
std::string state_dict_pickle(std::span<const model::TensorStream> tensors);

}  // namespace vgg19::converter
