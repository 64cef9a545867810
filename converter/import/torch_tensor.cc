#include "converter/import/torch_tensor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "converter/import/numpy_array.h"
#include "converter/import/torch_state.h"

namespace vgg19::converter {
namespace {

using Outcome = TensorReading::Outcome;

/// How a PyTorch function builds a tensor.
enum class Role : unsigned char {
    strided,        ///< storage, offset, shape, strides, …
    strided_typed,  ///< the same, and the type of the elements
    wrapped,        ///< from another tensor, or an array, in the first argument
    subclass,       ///< from a function, a class, the function's arguments, attributes
    quantized,
    sparse,
    nested,
    without_data,
};

struct TensorFunction {
    std::string_view module;
    std::string_view name;
    Role role;
    std::size_t least_arguments;
    std::size_t most_arguments;
};

constexpr std::array tensor_functions = {
    TensorFunction{"torch._utils", "_rebuild_tensor", Role::strided, 4, 4},
    TensorFunction{"torch._utils", "_rebuild_tensor_v2", Role::strided, 6, 7},
    TensorFunction{"torch._utils", "_rebuild_tensor_v3", Role::strided_typed, 7, 8},
    TensorFunction{"torch._utils", "_rebuild_parameter", Role::wrapped, 1, 3},
    TensorFunction{"torch._utils", "_rebuild_parameter_with_state", Role::wrapped, 1, 4},
    TensorFunction{"torch.nn.parameter", "Parameter", Role::wrapped, 1, 2},
    TensorFunction{"torch.nn.parameter", "Buffer", Role::wrapped, 1, 2},
    TensorFunction{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", Role::wrapped, 1, 4},
    TensorFunction{"torch._utils", "_rebuild_device_tensor_from_numpy", Role::wrapped, 1, 4},
    TensorFunction{"torch._utils", "_rebuild_xla_tensor", Role::wrapped, 1, 4},
    TensorFunction{"torch._tensor", "_rebuild_from_type", Role::subclass, 4, 4},
    TensorFunction{"torch._tensor", "_rebuild_from_type_v2", Role::subclass, 4, 4},
    TensorFunction{"torch.tensor", "_rebuild_from_type", Role::subclass, 4, 4},
    TensorFunction{"torch._utils", "_rebuild_qtensor", Role::quantized, 0, 100},
    TensorFunction{"torch._utils", "_rebuild_sparse_tensor", Role::sparse, 0, 100},
    TensorFunction{"torch._utils", "_rebuild_sparse_csr_tensor", Role::sparse, 0, 100},
    TensorFunction{"torch._utils", "_rebuild_nested_tensor", Role::nested, 0, 100},
    TensorFunction{"torch._utils", "_rebuild_meta_tensor_no_storage", Role::without_data, 0, 100},
};

const TensorFunction* find_function(const PickleGlobal* global) {
    if (global == nullptr) return nullptr;
    const auto* const found = std::find_if(
        tensor_functions.begin(), tensor_functions.end(),
        [global](const TensorFunction& function) { return global->is(function.module, function.name); });
    return found == tensor_functions.end() ? nullptr : found;
}

/// a · b + c, or none on overflow.
std::optional<std::size_t> multiply_add(std::size_t a, std::size_t b, std::size_t c) {
    std::size_t product = 0;
    std::size_t sum = 0;
    if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum)) return {};
    return sum;
}

/// The number of elements and the highest index, or none on overflow.
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

/// Whether the metadata in the last argument mark the tensor as a negated view: the storage has the opposite
/// sign.
bool is_negated(const Pickle& pickle, std::span<const PickleReference> arguments) {
    constexpr std::size_t most_metadata = 32;  // keys and values
    const PickleValue& metadata = pickle.at(arguments.back());
    if (pickle.items(metadata).size() > most_metadata) return false;
    const PickleValue* negated = pickle.find(metadata, "neg");
    return negated != nullptr && negated->kind == PickleKind::boolean && negated->integer != 0;
}

TensorReading left_out(std::string_view what) {
    return {.outcome = Outcome::left_out, .what = std::string(what)};
}

}  // namespace

TensorReader::Call TensorReader::call_of(const PickleValue& value) const {
    const PickleGlobal* function = pickle_.callable(value);
    if (function == nullptr) return {};
    return {function, pickle_.items(pickle_.at(pickle_.object(value)->arguments))};
}

void TensorReader::expect_arguments(const Call& call, std::size_t least, std::size_t most,
                                    const PickleValue& value) const {
    if (call.arguments.size() >= least && call.arguments.size() <= most) return;
    pickle_.fail(value, std::string(call.function->name) + ": expected a tuple of " + std::to_string(least) +
                            " to " + std::to_string(most) + " arguments, found " +
                            std::to_string(call.arguments.size()));
}

/// Unwraps the tensor from outside to inside; real files need few iterations.
TensorReading TensorReader::read(PickleReference reference, std::string_view path) {
    constexpr int most_wrappings = 8;
    const PickleValue* value = &pickle_.at(reference);
    const std::string tensor = "tensor " + printable(path);
    PickleReference state = no_reference;
    Call call = call_of(*value);
    for (int wrapping = 0; wrapping < most_wrappings; ++wrapping) {
        if (is_numpy_array(pickle_, *value)) {
            TensorReading reading = read_array(*value, std::string(path));
            reading.state = state;
            return reading;
        }
        const TensorFunction* function = find_function(call.function);
        if (function == nullptr) {
            // For a parameter of an unknown object, the tree walk looks inside the object instead.
            return {};
        }
        expect_arguments(call, function->least_arguments, function->most_arguments, *value);
        if (function->role == Role::wrapped) {
            if (function->name == "_rebuild_parameter_with_state") state = call.arguments.back();
            value = &pickle_.at(call.arguments[0]);
            call = call_of(*value);
        } else if (function->role == Role::subclass) {
            state = call.arguments[3];
            call = {pickle_.global(pickle_.at(call.arguments[0])),
                    pickle_.items(pickle_.at(call.arguments[2]))};
        } else {
            TensorReading reading = read_call(call, *value, tensor);
            reading.state = state;
            return reading;
        }
    }
    return {};
}

TensorReading TensorReader::read_array(const PickleValue& value, const std::string& path) {
    TensorReading reading;
    std::optional<StoredTensor> array = read_numpy_array(pickle_, value, bytes_, path, reading.what);
    reading.outcome = array ? Outcome::stored : Outcome::left_out;
    if (array) reading.tensor = std::move(*array);
    return reading;
}

TensorReading TensorReader::read_call(const Call& call, const PickleValue& value, const std::string& tensor) {
    switch (find_function(call.function)->role) {
        case Role::strided:
            return read_strided(call, nullptr, value, tensor);
        case Role::strided_typed: {
            const PickleGlobal* name = pickle_.global(pickle_.at(call.arguments[6]));
            const TorchType* type = name == nullptr ? nullptr : find_element_type(*name);
            if (type == nullptr) return left_out("an unsupported type");
            return read_strided(call, type, value, tensor);
        }
        case Role::quantized:
            return {.outcome = Outcome::quantized};
        case Role::sparse:
            return left_out("sparse");
        case Role::nested:
            return left_out("nested");
        default:
            return left_out("without data");
    }
}

TensorReading TensorReader::read_strided(const Call& call, const TorchType* type, const PickleValue& value,
                                         const std::string& tensor) {
    const StorageView storage = storage_of(call.arguments[0], value, tensor);
    if (type == nullptr) type = storage.type;
    if (type->quantized) return {.outcome = Outcome::quantized};
    const std::size_t offset = count_of(pickle_, pickle_.at(call.arguments[1]), tensor + ": storage offset");
    StoredTensor result{.name = {}, .dtype = type->dtype.value_or(model::DType::u8)};
    result.shape = counts_of(pickle_, pickle_.at(call.arguments[2]), tensor + ": shape");
    result.strides = counts_of(pickle_, pickle_.at(call.arguments[3]), tensor + ": strides");
    if (result.shape.size() != result.strides.size()) {
        pickle_.fail(value, tensor + ": expected " + std::to_string(result.shape.size()) +
                                " strides, found " + std::to_string(result.strides.size()));
    }
    const std::size_t stored = storage.bytes.size() / type->bytes;
    const auto extent = extent_of(result.shape, result.strides, offset);
    if (!extent || (extent->elements > 0 && extent->last >= stored)) {
        pickle_.fail(value, tensor + ": shape " + shape_text(result.shape) + ", strides " +
                                shape_text(result.strides) + " and offset " + std::to_string(offset) +
                                " expect more than its storage, found " + std::to_string(stored) +
                                " elements");
    }
    if (!type->dtype) return left_out(type->name);
    if (is_negated(pickle_, call.arguments)) return left_out("a negated view");
    if (extent->elements > stored) {  // expanded: elements are repeated
        if (extent->elements > most_repeated_elements - repeated_elements_) {
            return left_out("more than " + std::to_string(most_repeated_elements) +
                            " elements of expanded tensors");
        }
        repeated_elements_ += extent->elements;
    }
    result.bytes = storage.bytes.subspan(extent->elements == 0 ? 0 : offset * type->bytes);
    return {.outcome = Outcome::stored, .tensor = std::move(result)};
}

TensorReader::StorageView TensorReader::storage_of(PickleReference reference, const PickleValue& value,
                                                   const std::string& tensor) {
    const PickleGlobal* called = pickle_.callable(pickle_.at(reference));
    if (called != nullptr && called->is("torch.storage", "_load_from_bytes")) {
        return nested_storage(reference, tensor);
    }
    const TorchStorage storage = torch_storage(pickle_, pickle_.at(reference));
    const auto bytes = storages_.find(storage.key);
    if (bytes == storages_.end()) {
        pickle_.fail(value, tensor + ": storage " + printable(storage.key) + " is not in the file");
    }
    return {bytes->second.subspan(storage.view_offset * storage.type->bytes)
                .first(storage.view_elements * storage.type->bytes),
            storage.type};
}

/// Python's own pickle module stores each storage as a nested file in the stream format. Objects may share
/// one; each is read once.
TensorReader::StorageView TensorReader::nested_storage(PickleReference reference, const std::string& tensor) {
    const PickleValue& value = pickle_.at(reference);
    const Call call = call_of(value);
    expect_arguments(call, 1, 1, value);
    const auto bytes = bytes_.bytes_of(call.arguments[0]);
    if (!bytes) {
        pickle_.fail(value, tensor + ": expected a storage as bytes, found " +
                                pickle_.describe_value(pickle_.at(call.arguments[0])));
    }
    if (const auto known = nested_.find(bytes->data()); known != nested_.end()) return known->second;
    ByteReader reader(*bytes, pickle_.file() + ": storage of " + tensor, 0, bytes->size());
    const TorchStream stream = read_torch_stream(reader);
    const TorchStorage storage = torch_storage(stream.state, stream.state.root());
    const auto found = stream.storages.find(storage.key);
    if (found == stream.storages.end()) {
        pickle_.fail(value, tensor + ": storage " + printable(storage.key) + " is not in its file");
    }
    const StorageView view = {found->second.subspan(storage.view_offset * storage.type->bytes)
                                  .first(storage.view_elements * storage.type->bytes),
                              storage.type};
    nested_[bytes->data()] = view;
    return view;
}

}  // namespace vgg19::converter
