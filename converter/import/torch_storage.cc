#include "converter/import/torch_storage.h"

#include <limits>
#include <string>

#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// Keys are numbers or, in TorchScript, short names.
constexpr std::size_t longest_key = 1000;
/// More dimensions than any weight has.
constexpr std::size_t most_dimensions = 8;

bool is_storage_id(const Pickle& pickle, const PickleValue& id) {
    const std::size_t size = pickle.items(id).size();
    return id.kind == PickleKind::tuple && (size == 5 || size == 6) && pickle.item(id, 0).text() == "storage";
}

void read_view(const Pickle& pickle, const PickleValue& view, TorchStorage& storage) {
    if (view.kind == PickleKind::none) return;
    if (view.kind != PickleKind::tuple || pickle.items(view).size() != 3) {
        pickle.fail(view, "persistent id: expected a view (key, offset, elements), found " +
                              pickle.describe_value(view));
    }
    storage.view_offset = count_of(pickle, pickle.item(view, 1), "offset of a storage's view");
    storage.view_elements = count_of(pickle, pickle.item(view, 2), "size of a storage's view");
    if (storage.view_offset > storage.elements ||
        storage.view_elements > storage.elements - storage.view_offset) {
        pickle.fail(view, "storage view: expected at most " + std::to_string(storage.elements) +
                              " elements, found " + std::to_string(storage.view_elements) + " from element " +
                              std::to_string(storage.view_offset));
    }
}

}  // namespace

std::size_t count_of(const Pickle& pickle, const PickleValue& value, const std::string& what) {
    if (value.kind != PickleKind::integer) {
        pickle.fail(value, what + ": expected an integer, found " + pickle.describe_value(value));
    }
    if (value.integer < 0) {
        pickle.fail(value, what + ": expected a non-negative number, found " + std::to_string(value.integer));
    }
    return static_cast<std::size_t>(value.integer);
}

std::vector<std::size_t> counts_of(const Pickle& pickle, const PickleValue& value, const std::string& what) {
    const PickleValue* sizes = &value;
    const PickleGlobal* called = pickle.callable(value);
    if (called != nullptr && called->is("torch", "Size")) {  // torch.Size((…))
        const PickleValue& arguments = pickle.at(pickle.object(value)->arguments);
        if (pickle.items(arguments).size() == 1) sizes = &pickle.item(arguments, 0);
    }
    const std::size_t count = pickle.items(*sizes).size();
    if ((sizes->kind != PickleKind::tuple && sizes->kind != PickleKind::list) || count > most_dimensions) {
        pickle.fail(value, what + ": expected a tuple of at most " + std::to_string(most_dimensions) +
                               " integers, found " + pickle.describe_value(*sizes) + " of " +
                               std::to_string(count));
    }
    std::vector<std::size_t> counts;
    for (const PickleReference item : pickle.items(*sizes)) {
        counts.push_back(count_of(pickle, pickle.at(item), what));
    }
    return counts;
}

TorchStorage torch_storage(const Pickle& pickle, const PickleValue& value) {
    if (value.kind != PickleKind::persistent_id) {
        pickle.fail(value, "expected a storage, found " + pickle.describe_value(value));
    }
    const PickleValue& id = pickle.item(value, 0);
    if (!is_storage_id(pickle, id)) {
        pickle.fail(value, "persistent id: expected ('storage', type, key, location, elements), found " +
                               pickle.describe_value(id) + " of " + std::to_string(pickle.items(id).size()));
    }
    const PickleGlobal* name = pickle.global(pickle.item(id, 1));
    const TorchType* type = name == nullptr ? nullptr : find_storage_type(*name);
    const PickleValue& key = pickle.item(id, 2);
    if (type == nullptr || key.kind != PickleKind::text || key.text().size() > longest_key) {
        pickle.fail(value, "persistent id: expected a storage type and a text key, found " +
                               pickle.describe_value(pickle.item(id, 1)) + " and " +
                               pickle.describe_value(key));
    }
    TorchStorage storage{.key = key.text(), .type = type};
    storage.elements = count_of(pickle, pickle.item(id, 4), "storage size");
    storage.view_elements = storage.elements;
    if (storage.elements > std::numeric_limits<std::size_t>::max() / type->bytes) {
        pickle.fail(value, "storage size: found " + std::to_string(storage.elements) + " elements");
    }
    if (pickle.items(id).size() == 6) read_view(pickle, pickle.item(id, 5), storage);
    return storage;
}

std::map<std::string_view, TorchStorage> torch_storages(const Pickle& pickle) {
    std::map<std::string_view, TorchStorage> storages;
    for (PickleReference i = 0; i < pickle.size(); ++i) {
        const PickleValue& value = pickle.at(i);
        const bool is_id = value.kind == PickleKind::persistent_id;
        if (!is_id || !is_storage_id(pickle, pickle.item(value, 0))) continue;
        const TorchStorage storage = torch_storage(pickle, value);
        const TorchStorage& first = storages.emplace(storage.key, storage).first->second;
        if (first.bytes() != storage.bytes()) {
            pickle.fail(value,
                        "storage " + printable(storage.key) + ": expected " + std::to_string(first.elements) +
                            " elements of " + std::string(first.type->name) + " as before, found " +
                            std::to_string(storage.elements) + " of " + std::string(storage.type->name));
        }
    }
    return storages;
}

}  // namespace vgg19::converter
