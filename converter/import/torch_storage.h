// The storages of PyTorch's pickles: what their ids say, and where their bytes are.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "converter/import/pickle.h"
#include "converter/import/torch_types.h"

namespace vgg19::converter {

/// What a persistent id says: ('storage', type, key, location, elements), in the stream format with a sixth
/// item, None or (key, offset, elements) of a view into it.
struct TorchStorage {
    std::string_view key;
    const TorchType* type = nullptr;
    std::size_t elements = 0;
    std::size_t view_offset = 0;
    std::size_t view_elements = 0;  ///< all of them where there is no view

    std::size_t bytes() const { return elements * type->bytes; }
};

/// Throws Error (bad_input) unless `value` is a persistent id of that form.
TorchStorage torch_storage(const Pickle& pickle, const PickleValue& value);

/// Every storage that the pickle names, by key. Persistent ids that are no storages are left out. Throws
/// Error (bad_input) where two ids with the same key differ in size.
std::map<std::string_view, TorchStorage> torch_storages(const Pickle& pickle);

/// The bytes of a storage (not of its view): TorchStorage::bytes() of them.
using StorageBytes = std::map<std::string_view, std::span<const std::byte>>;

/// What a number in a pickle counts. Throws Error (bad_input), with `what` in the message, for what is no
/// integer, and for negative ones.
std::size_t count_of(const Pickle& pickle, const PickleValue& value, const std::string& what);

/// The same for a tuple or list of at most 8.
std::vector<std::size_t> counts_of(const Pickle& pickle, const PickleValue& value, const std::string& what);

}  // namespace vgg19::converter
