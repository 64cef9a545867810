// Computes the checksums of tensors and finds values that are not finite, in one pass on two threads.
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

/// One result per tensor. Only the calling thread calls `progress`. The tensors are not copied. `file`, if
/// there is one, has their bytes, of which few are in use at a time.
std::vector<TensorScan> scan_tensors(std::span<const Tensor> tensors, const Progress& progress = {},
                                     const MappedFile* file = nullptr);

/// The index of the first NaN or infinity.
std::optional<std::size_t> first_not_finite(std::span<const float> values);

}  // namespace vgg19::model
