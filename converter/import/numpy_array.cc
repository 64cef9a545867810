#include "converter/import/numpy_array.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/import/torch_storage.h"

namespace vgg19::converter {
namespace {

using model::DType;
using References = std::span<const PickleReference>;

constexpr std::array<std::pair<std::string_view, DType>, 10> element_types = {{{"f8", DType::f64},
                                                                               {"f4", DType::f32},
                                                                               {"f2", DType::f16},
                                                                               {"i8", DType::i64},
                                                                               {"i4", DType::i32},
                                                                               {"i2", DType::i16},
                                                                               {"i1", DType::i8},
                                                                               {"u1", DType::u8},
                                                                               {"b1", DType::boolean},
                                                                               {"?", DType::boolean}}};

/// The parts of a pickled array, independent of how it was pickled.
struct ArrayParts {
    PickleReference shape = no_reference;
    PickleReference type = no_reference;
    PickleReference data = no_reference;
    bool column_major = false;
};

/// numpy.core up to NumPy 1, numpy._core from NumPy 2.
bool is_numpy_function(const PickleGlobal& global, std::string_view module, std::string_view name) {
    for (const std::string_view core : {"numpy.core.", "numpy._core."}) {
        if (global.module.starts_with(core) && global.module.substr(core.size()) == module) {
            return global.name == name;
        }
    }
    return false;
}

/// _reconstruct(…), followed by a state (version, shape, type, whether column-major, data).
std::optional<ArrayParts> parts_of_state(const Pickle& pickle, const PickleObject& object) {
    if (object.state == no_reference) return {};
    References state = pickle.items(pickle.at(object.state));
    if (state.size() == 5) state = state.subspan(1);
    if (state.size() != 4) return {};
    return ArrayParts{state[0], state[1], state[3], pickle.at(state[2]).integer != 0};
}

/// _frombuffer(data, type, shape, order), written with protocol 5.
std::optional<ArrayParts> parts_of_call(const Pickle& pickle, const PickleObject& object) {
    const References arguments = pickle.items(pickle.at(object.arguments));
    if (arguments.size() < 3) return {};
    const bool column_major = arguments.size() > 3 && pickle.at(arguments[3]).text() == "F";
    return ArrayParts{arguments[2], arguments[1], arguments[0], column_major};
}

/// numpy.dtype('f4', …), with a state (version, byte order, …).
std::optional<DType> element_type(const Pickle& pickle, PickleReference type, std::string& why) {
    const PickleValue& value = pickle.at(type);
    const PickleGlobal* called = pickle.callable(value);
    why = "a type of NumPy";
    if (called == nullptr || !called->is("numpy", "dtype")) return {};
    const PickleObject& object = *pickle.object(value);
    const References arguments = pickle.items(pickle.at(object.arguments));
    if (arguments.empty()) return {};
    const std::string_view name = pickle.at(arguments[0]).text();
    why = "NumPy's " + printable(name);
    if (object.state != no_reference) {
        const References state = pickle.items(pickle.at(object.state));
        if (state.size() > 1 && pickle.at(state[1]).text() == ">") {
            why += ", big-endian";
            return {};
        }
    }
    for (const auto& [known, dtype] : element_types) {
        if (known == name) return dtype;
    }
    return {};
}

std::vector<std::size_t> array_strides(const std::vector<std::size_t>& shape, bool column_major) {
    if (!column_major) return contiguous_strides(shape);
    const std::vector<std::size_t> reversed(shape.rbegin(), shape.rend());
    std::vector<std::size_t> strides = contiguous_strides(reversed);
    std::reverse(strides.begin(), strides.end());
    return strides;
}

std::optional<std::size_t> bytes_of_shape(const std::vector<std::size_t>& shape, DType dtype) {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    std::size_t bytes = model::dtype_bytes(dtype);
    for (const std::size_t size : shape) {
        if (__builtin_mul_overflow(bytes, size, &bytes)) return {};
    }
    return bytes;
}

}  // namespace

bool is_numpy_array(const Pickle& pickle, const PickleValue& value) {
    const PickleGlobal* called = pickle.callable(value);
    return called != nullptr && (is_numpy_function(*called, "multiarray", "_reconstruct") ||
                                 is_numpy_function(*called, "numeric", "_frombuffer"));
}

std::optional<StoredTensor> read_numpy_array(const Pickle& pickle, const PickleValue& value,
                                             PickleBytes& bytes, const std::string& name, std::string& why) {
    const PickleObject& object = *pickle.object(value);
    const bool in_call = pickle.callable(value)->name == "_frombuffer";
    const auto parts = in_call ? parts_of_call(pickle, object) : parts_of_state(pickle, object);
    why = "an array of NumPy without data";
    if (!parts) return {};
    const std::optional<DType> dtype = element_type(pickle, parts->type, why);
    if (!dtype) return {};
    const auto data = bytes.bytes_of(parts->data);
    if (!data) {
        why = "an array of NumPy with data that are " + pickle.describe_value(pickle.at(parts->data));
        return {};
    }
    StoredTensor tensor{.name = {}, .dtype = *dtype};
    tensor.shape = counts_of(pickle, pickle.at(parts->shape), "array " + printable(name) + ": shape");
    tensor.strides = array_strides(tensor.shape, parts->column_major);
    tensor.bytes = *data;
    if (bytes_of_shape(tensor.shape, *dtype) != data->size()) {
        pickle.fail(value, "array " + printable(name) + ": expected the bytes of shape " +
                               shape_text(tensor.shape) + " and type " + model::dtype_name(*dtype) +
                               ", found " + std::to_string(data->size()));
    }
    return tensor;
}

}  // namespace vgg19::converter
