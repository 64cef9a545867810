#include "python/extension/arrays.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "python/extension/interpreter.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

std::string type_name(nb::dlpack::dtype type) {
    using nb::dlpack::dtype_code;
    const std::string bits = std::to_string(type.bits);
    switch (static_cast<dtype_code>(type.code)) {
        case dtype_code::Int:
            return "int" + bits;
        case dtype_code::UInt:
            return "uint" + bits;
        case dtype_code::Float:
            return "float" + bits;
        case dtype_code::Bfloat:
            return "bfloat" + bits;
        case dtype_code::Complex:
            return "complex" + bits;
        case dtype_code::Bool:
            return "bool";
        default:
            return "a type of code " + std::to_string(type.code);
    }
}

template <class Array>
Shape shape_of(const Array& array) {
    Shape shape;
    for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(array.shape(i));
    return shape;
}

/// Whether elements follow one another in C order; where an axis has one element, its stride is no matter.
template <class Array>
bool is_contiguous(const Array& array) {
    if (array.size() == 0) return true;
    std::int64_t expected = 1;
    for (std::size_t i = array.ndim(); i-- > 0;) {
        if (array.shape(i) != 1 && array.stride(i) != expected) return false;
        expected *= static_cast<std::int64_t>(array.shape(i));
    }
    return true;
}

template <class Array>
std::string strides_text(const Array& array) {
    std::string text;
    for (std::size_t i = 0; i < array.ndim(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(array.stride(i));
    }
    return "(" + text + ")";
}

/// "numpy.ndarray of >f4".
std::string type_text(nb::handle object) {
    auto text = nb::cast<std::string>(nb::str(nb::handle(object.type()).attr("__name__")));
    if (nb::hasattr(object, "dtype")) {
        text += " of " + nb::cast<std::string>(nb::str(attribute(object, "dtype")));
    }
    return text;
}

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

/// The memory of an object of another library, asked for here because nanobind hides what the object raises.
nb::object capsule_of(nb::handle object) {
    const nb::object method = attribute(object, "__dlpack__");
    nb::dict keywords;
    keywords["max_version"] = nb::make_tuple(1, 0);
    try {
        return called(method, nb::tuple(), keywords);
    } catch (nb::python_error& error) {
        if (!error.matches(PyExc_TypeError)) throw;
    }
    return called(method, nb::tuple());  // it is older than versions
}

/// nanobind's own way also knows arrays that have a buffer, such as numpy's.
template <class Array>
bool is_array(nb::handle object, Array& array) {
    const bool is_foreign = PyObject_CheckBuffer(object.ptr()) == 0 && nb::hasattr(object, "__dlpack__") &&
                            !PyType_Check(object.ptr());
    if (!is_foreign) return nb::try_cast(object, array, false);
    try {
        return nb::try_cast(capsule_of(object), array, false);
    } catch (nb::python_error& error) {
        const bool is_about_the_array = error.matches(PyExc_BufferError) || error.matches(PyExc_TypeError) ||
                                        error.matches(PyExc_ValueError);
        if (!is_about_the_array) throw;
        refuse("expected an array that gives its memory, found one of type " + type_text(object) +
               " that does not: " + nb::cast<std::string>(nb::str(error.value())));
    }
}

[[noreturn]] void refuse_type(const std::string& name, nb::dlpack::dtype type, const Shape& shape,
                              nb::handle object) {
    const auto found = nb::cast<std::string>(nb::handle(object.type()).attr("__name__"));
    throw nb::type_error((name + ": expected a " + type_name(type) + " array of shape " + shape_text(shape) +
                          ", found " + found)
                             .c_str());
}

template <class Array>
void require(const Array& array, const std::string& name, nb::dlpack::dtype type, const Shape& shape) {
    if (array.dtype() != type || shape_of(array) != shape) {
        refuse(name + ": expected " + type_name(type) + " " + shape_text(shape) + ", found " +
               type_name(array.dtype()) + " " + shape_text(shape_of(array)));
    }
    if (array.device_type() != nb::device::cpu::value) {
        refuse(name + ": expected an array in the CPU's memory, found one on another device");
    }
    if (!is_contiguous(array)) {
        refuse(name + ": expected an array in C order, whose elements follow one another, found strides of " +
               strides_text(array) + " elements; numpy.ascontiguousarray, or tensor.contiguous(), copies it");
    }
}

nb::ndarray<nb::ro> array_to_read(nb::handle object, const std::string& name, nb::dlpack::dtype type,
                                  const Shape& shape) {
    nb::ndarray<nb::ro> array = any_array(object);
    if (!array.is_valid()) refuse_type(name, type, shape, object);
    require_values_in_memory(object, name);
    require(array, name, type, shape);
    return array;
}

nb::ndarray<> array_to_write(nb::handle object, const std::string& name, nb::dlpack::dtype type,
                             const Shape& shape) {
    nb::ndarray<> array;
    if (!is_array(object, array)) {
        if (any_array(object).is_valid()) {
            refuse(name + ": expected an array to write, found one that is read-only");
        }
        refuse_type(name, type, shape, object);
    }
    require_values_in_memory(object, name);
    require(array, name, type, shape);
    return array;
}

}  // namespace

std::string shape_text(const Shape& shape) {
    std::string text;
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return "(" + text + (shape.size() == 1 ? ",)" : ")");
}

nb::ndarray<nb::ro> any_array(nb::handle object) {
    nb::ndarray<nb::ro> array;
    if (is_array(object, array)) return array;
    if (PyObject_CheckBuffer(object.ptr()) != 0) {
        refuse("expected an array of numbers in this machine's byte order, found one of type " +
               type_text(object));
    }
    return {};
}

void require_values_in_memory(nb::handle object, const std::string& name) {
    for (const auto& [is_other, resolve] :
         {std::pair("is_neg", "resolve_neg"), {"is_conj", "resolve_conj"}}) {
        if (nb::hasattr(object, is_other) && nb::cast<bool>(nb::bool_(object.attr(is_other)()))) {
            refuse(name + ": expected an array that holds its values, found a view that changes them (" +
                   is_other + "() is true); tensor." + resolve + "() copies it");
        }
    }
}

std::string array_text(const nb::ndarray<nb::ro>& array) {
    return type_name(array.dtype()) + " " + shape_text(shape_of(array));
}

FloatsToRead floats_to_read(nb::handle object, const std::string& name, const Shape& shape) {
    FloatsToRead floats{array_to_read(object, name, nb::dtype<float>(), shape), {}};
    floats.values = {static_cast<const float*>(floats.array.data()), floats.array.size()};
    return floats;
}

FloatsToWrite floats_to_write(nb::handle object, const std::string& name, const Shape& shape) {
    FloatsToWrite floats{array_to_write(object, name, nb::dtype<float>(), shape), {}};
    floats.values = {static_cast<float*>(floats.array.data()), floats.array.size()};
    return floats;
}

BytesToRead bytes_to_read(nb::handle object, const std::string& name, std::size_t count) {
    BytesToRead bytes{array_to_read(object, name, nb::dtype<std::uint8_t>(), {count}), {}};
    bytes.values = {static_cast<const std::byte*>(bytes.array.data()), count};
    return bytes;
}

BytesToWrite bytes_to_write(nb::handle object, const std::string& name, std::size_t count) {
    BytesToWrite bytes{array_to_write(object, name, nb::dtype<std::uint8_t>(), {count}), {}};
    bytes.values = {static_cast<std::byte*>(bytes.array.data()), count};
    return bytes;
}

nb::object new_array(const Shape& shape) {
    nb::list sides;
    for (const std::size_t side : shape) sides.append(side);
    return called(imported("numpy").attr("empty"), nb::make_tuple(nb::tuple(sides), "float32"));
}

void require_apart(const std::vector<std::span<const float>>& spans, const std::string& what) {
    for (std::size_t i = 0; i < spans.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            const auto* const begin = std::max(spans[i].data(), spans[k].data());
            const auto* const end =
                std::min(spans[i].data() + spans[i].size(), spans[k].data() + spans[k].size());
            if (begin < end) refuse(what + ": expected arrays that share no memory, found two that do");
        }
    }
}

}  // namespace vgg19::python
