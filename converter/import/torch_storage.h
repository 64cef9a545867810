// The storages of PyTorch's pickles: their ids and their bytes.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "converter/import/pickle.h"
#include "converter/import/torch_types.h"

namespace vgg19::converter {

/// A decoded persistent id: ('storage', type, key, location, elements); in the stream format with a sixth
/// item, which is None or a view (key, offset, elements).
struct TorchStorage {
    std::string_view key;
    const TorchType* type = nullptr;
    std::size_t elements = 0;
    std::size_t view_offset = 0;
    std::size_t view_elements = 0;  ///< all elements if there is no view

    std::size_t bytes() const { return elements * type->bytes; }
};

/// Throws Error (bad_input) unless `value` is a persistent id of that form.
TorchStorage torch_storage(const Pickle& pickle, const PickleValue& value);

/// Every storage that the pickle refers to, by key. Other persistent ids are left out. Throws Error
/// (bad_input) if two ids with the same key differ in size.
std::map<std::string_view, TorchStorage> torch_storages(const Pickle& pickle);

/// The bytes of a storage, TorchStorage::bytes() of them (not only its view).
using StorageBytes = std::map<std::string_view, std::span<const std::byte>>;

/// A non-negative integer from a pickle. Throws Error (bad_input), with `what` in the message, for negative
/// integers and other values.
std::size_t count_of(const Pickle& pickle, const PickleValue& value, const std::string& what);

/// The same for a tuple or list of at most 8 numbers.
std::vector<std::size_t> counts_of(const Pickle& pickle, const PickleValue& value, const std::string& what);

}  // namespace vgg19::converter
