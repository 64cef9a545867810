#include "converter/import/torch_state.h"

#include <limits>
#include <optional>
#include <string>

namespace vgg19::converter {
namespace {

/// More dimensions than any weight has.
constexpr std::size_t most_dimensions = 8;

std::size_t count_of(const Pickle& pickle, const PickleValue& value, const std::string& what) {
    if (value.kind != PickleKind::integer) {
        pickle.fail(value, what + ": expected an integer, found " + std::string(describe(value.kind)));
    }
    if (value.integer < 0) {
        pickle.fail(value, what + ": expected no negative number, found " + std::to_string(value.integer));
    }
    return static_cast<std::size_t>(value.integer);
}

std::vector<std::size_t> counts_of(const Pickle& pickle, const PickleValue& value, const std::string& what) {
    if ((value.kind != PickleKind::tuple && value.kind != PickleKind::list) ||
        value.items.size() > most_dimensions) {
        pickle.fail(value, what + ": expected a tuple of at most " + std::to_string(most_dimensions) +
                               " integers, found " + std::string(describe(value.kind)) + " of " +
                               std::to_string(value.items.size()));
    }
    std::vector<std::size_t> counts;
    for (const PickleReference item : value.items) counts.push_back(count_of(pickle, pickle.at(item), what));
    return counts;
}

/// a · b + c, or nothing where that does not fit.
std::optional<std::size_t> multiply_add(std::size_t a, std::size_t b, std::size_t c) {
    std::size_t product = 0;
    std::size_t sum = 0;
    if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum)) return {};
    return sum;
}

/// The product of the shape and the highest index, or nothing where one does not fit.
struct Extent {
    std::size_t elements = 1;
    std::size_t last = 0;
};
std::optional<Extent> extent_of(const std::vector<std::size_t>& shape,
                                const std::vector<std::size_t>& strides, std::size_t offset) {
    Extent extent{.last = offset};
    for (const std::size_t size : shape) {
        if (size == 0) return Extent{.elements = 0};
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const auto elements = multiply_add(extent.elements, shape[i], 0);
        const auto last = multiply_add(shape[i] - 1, strides[i], extent.last);
        if (!elements || !last) return {};
        extent = {.elements = *elements, .last = *last};
    }
    return extent;
}

/// From a call of _rebuild_tensor(storage, offset, shape, strides) or _v2, which has more arguments that do
/// not matter here.
StoredTensor torch_tensor(const Pickle& pickle, const PickleValue& value, std::string_view name,
                          const StorageBytes& storages) {
    const std::string tensor = "tensor " + printable(name);
    const TorchStorage storage = torch_storage(pickle, pickle.item(value, 0));
    const std::size_t offset = count_of(pickle, pickle.item(value, 1), tensor + ": storage offset");

    StoredTensor result{.name = std::string(name), .dtype = storage.dtype};
    result.shape = counts_of(pickle, pickle.item(value, 2), tensor + ": shape");
    result.strides = counts_of(pickle, pickle.item(value, 3), tensor + ": strides");
    if (result.shape.size() != result.strides.size()) {
        pickle.fail(value, tensor + ": expected " + std::to_string(result.shape.size()) + " strides, found " +
                               std::to_string(result.strides.size()));
    }
    const auto extent = extent_of(result.shape, result.strides, offset);
    const bool inside = extent && (extent->elements == 0 || extent->last < storage.view_elements);
    if (!inside || extent->elements > storage.view_elements) {
        pickle.fail(value, tensor + ": shape " + shape_text(result.shape) + ", strides " +
                               shape_text(result.strides) + " and offset " + std::to_string(offset) +
                               " expect more than its storage, found " +
                               std::to_string(storage.view_elements) + " elements");
    }
    const auto bytes = storages.find(storage.key);
    if (bytes == storages.end()) {
        pickle.fail(value, tensor + ": storage " + printable(storage.key) + " is not in the file");
    }
    const std::size_t element_bytes = model::dtype_bytes(storage.dtype);
    result.bytes = bytes->second.subspan(storage.view_offset * element_bytes)
                       .first(storage.view_elements * element_bytes)
                       .subspan(extent->elements == 0 ? 0 : offset * element_bytes);
    return result;
}

const PickleValue& find_state_dict(const Pickle& pickle) {
    for (const std::string_view key : {"state_dict", "model"}) {
        const PickleValue* nested = pickle.find(pickle.root(), key);
        if (nested != nullptr && nested->kind == PickleKind::dict) return *nested;
    }
    return pickle.root();
}

}  // namespace

TorchStorage torch_storage(const Pickle& pickle, const PickleValue& value) {
    if (value.kind != PickleKind::persistent_id) {
        pickle.fail(value, "expected a storage, found " + std::string(describe(value.kind)));
    }
    const PickleValue& id = pickle.item(value, 0);
    const bool right_size = id.items.size() == 5 || id.items.size() == 6;
    if (id.kind != PickleKind::tuple || !right_size || pickle.item(id, 0).text != "storage") {
        pickle.fail(value, "persistent id: expected ('storage', type, key, location, elements), found " +
                               std::string(describe(id.kind)) + " of " + std::to_string(id.items.size()));
    }
    const PickleGlobal* type = pickle.item(id, 1).global;
    const PickleValue& key = pickle.item(id, 2);
    if (type == nullptr || !type->dtype || key.kind != PickleKind::text) {
        pickle.fail(value, "persistent id: expected a storage type and a text key, found " +
                               std::string(describe(pickle.item(id, 1).kind)) + " and " +
                               std::string(describe(key.kind)));
    }
    TorchStorage storage{.key = key.text, .dtype = *type->dtype};
    storage.elements = count_of(pickle, pickle.item(id, 4), "storage size");
    storage.view_elements = storage.elements;
    if (storage.elements > std::numeric_limits<std::size_t>::max() / model::dtype_bytes(storage.dtype)) {
        pickle.fail(value, "storage size: found " + std::to_string(storage.elements) + " elements");
    }
    if (id.items.size() == 6 && pickle.item(id, 5).kind != PickleKind::none) {
        const PickleValue& view = pickle.item(id, 5);
        if (view.kind != PickleKind::tuple || view.items.size() != 3) {
            pickle.fail(value, "persistent id: expected a view (key, offset, elements), found " +
                                   std::string(describe(view.kind)));
        }
        storage.view_offset = count_of(pickle, pickle.item(view, 1), "offset of a storage's view");
        storage.view_elements = count_of(pickle, pickle.item(view, 2), "size of a storage's view");
        if (storage.view_offset > storage.elements ||
            storage.view_elements > storage.elements - storage.view_offset) {
            pickle.fail(value, "storage view: expected at most " + std::to_string(storage.elements) +
                                   " elements, found " + std::to_string(storage.view_elements) +
                                   " from element " + std::to_string(storage.view_offset));
        }
    }
    return storage;
}

std::map<std::string_view, TorchStorage> torch_storages(const Pickle& pickle) {
    std::map<std::string_view, TorchStorage> storages;
    for (const PickleValue& value : pickle.values()) {
        if (value.kind != PickleKind::persistent_id) continue;
        const TorchStorage storage = torch_storage(pickle, value);
        const TorchStorage& first = storages.emplace(storage.key, storage).first->second;
        if (first.dtype != storage.dtype || first.elements != storage.elements) {
            pickle.fail(value,
                        "storage " + printable(storage.key) + ": expected " + std::to_string(first.elements) +
                            " elements of " + model::dtype_name(first.dtype) + " as before, found " +
                            std::to_string(storage.elements) + " of " + model::dtype_name(storage.dtype));
        }
    }
    return storages;
}

std::vector<StoredTensor> torch_tensors(const Pickle& pickle, const StorageBytes& storages) {
    const PickleValue& dict = find_state_dict(pickle);
    if (dict.kind != PickleKind::dict) {
        pickle.fail(dict, "expected a state dict, found " + std::string(describe(dict.kind)));
    }
    std::vector<StoredTensor> tensors;
    for (std::size_t i = 0; i < dict.items.size(); i += 2) {
        const PickleValue& name = pickle.item(dict, i);
        const PickleValue& value = pickle.item(dict, i + 1);
        if (name.kind != PickleKind::text) {
            pickle.fail(name,
                        "state dict: expected a text as key, found " + std::string(describe(name.kind)));
        }
        if (value.kind != PickleKind::tensor) {
            pickle.fail(value, "state dict: expected a tensor under " + printable(name.text) + ", found " +
                                   std::string(describe(value.kind)));
        }
        tensors.push_back(torch_tensor(pickle, value, name.text, storages));
    }
    return tensors;
}

}  // namespace vgg19::converter
