// The element types of PyTorch's storages and tensors, by their names in pickles.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "converter/import/pickle.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

struct TorchType {
    std::string_view name;              ///< PyTorch's: "float32", "complex64"
    std::size_t bytes = 0;              ///< per element
    std::optional<model::DType> dtype;  ///< none if no VGG has this type
    bool quantized = false;
    bool untyped = false;  ///< a storage of plain bytes; the tensor gives the type
};

/// For torch.FloatStorage, torch.cuda.HalfStorage, torch.storage.UntypedStorage …; nullptr for other names.
const TorchType* find_storage_type(const PickleGlobal& global);

/// For torch.float32, torch.float8_e4m3fn …; nullptr for other names.
const TorchType* find_element_type(const PickleGlobal& global);

}  // namespace vgg19::converter
