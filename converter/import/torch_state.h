// What PyTorch's pickles mean: storages, tensors, and where in a checkpoint the state dict is.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "converter/import/pickle.h"
#include "converter/import/stored_tensor.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// What a persistent id says: ('storage', type, key, location, elements), in the stream format with a sixth
/// item, None or (key, offset, elements) of a view into it.
struct TorchStorage {
    std::string_view key;
    model::DType dtype = model::DType::f32;
    std::size_t elements = 0;
    std::size_t view_offset = 0;
    std::size_t view_elements = 0;  ///< all of them where there is no view

    std::size_t bytes() const { return elements * model::dtype_bytes(dtype); }
};

/// Throws Error (bad_input) unless `value` is a persistent id of that form.
TorchStorage torch_storage(const Pickle& pickle, const PickleValue& value);

/// Every storage that the pickle names, by key. Throws Error (bad_input) where two ids with the same key
/// differ in type or size.
std::map<std::string_view, TorchStorage> torch_storages(const Pickle& pickle);

/// The bytes of a storage (not of its view): TorchStorage::bytes() of them.
using StorageBytes = std::map<std::string_view, std::span<const std::byte>>;

/// The tensors of the state dict: the pickle's root, or what it holds under `state_dict` or `model`. Throws
/// Error (bad_input): no dict, keys that are no texts, values that are no tensors, storages that are not in
/// `storages`, tensors that leave their storage.
std::vector<StoredTensor> torch_tensors(const Pickle& pickle, const StorageBytes& storages);

/// The two containers. Throw Error (bad_input).
std::vector<StoredTensor> read_torch_zip(const model::MappedFile& file);
std::vector<StoredTensor> read_torch_legacy(const model::MappedFile& file);

}  // namespace vgg19::converter
