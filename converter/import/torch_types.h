// The element types of PyTorch's storages and tensors, by the names that pickles have for them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "converter/import/pickle.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

struct TorchType {
    std::string_view name;              ///< PyTorch's: "float32", "complex64"
    std::size_t bytes = 0;              ///< of an element
    std::optional<model::DType> dtype;  ///< none where no VGG is made of it
    bool quantized = false;
    bool untyped = false;  ///< a storage of bytes, which get their type from the tensor
};

/// For torch.FloatStorage, torch.cuda.HalfStorage, torch.storage.UntypedStorage …; nullptr for what is no
/// storage.
const TorchType* find_storage_type(const PickleGlobal& global);

/// For torch.float32, torch.float8_e4m3fn …; nullptr for what is no element type.
const TorchType* find_element_type(const PickleGlobal& global);

}  // namespace vgg19::converter
