// One pass over tensors' bytes, on two threads: what a model file says of them, and whether they may be in
// it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::model {

struct TensorScan {
    std::string sha256;                           ///< of the bytes, in lower-case hexadecimal digits
    std::optional<std::size_t> first_not_finite;  ///< the index of an F32 tensor's first NaN or infinity
};

/// One result a tensor. `progress` is called by this thread only. Allocates no copy of the tensors.
std::vector<TensorScan> scan_tensors(std::span<const Tensor> tensors, const Progress& progress = {});

/// The index of the first NaN or infinity.
std::optional<std::size_t> first_not_finite(std::span<const float> values);

}  // namespace vgg19::model
