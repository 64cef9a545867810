// Arrays of callers: numpy's, tensors of PyTorch and others, by DLPack or the buffer protocol.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace vgg19::python {

namespace nb = nanobind;

using Shape = std::vector<std::size_t>;

/// "(1, 3, 224, 224)", as Python writes it.
std::string shape_text(const Shape& shape);

/// The floats of a caller's array, used where they lie.
struct FloatsToRead {
    nb::ndarray<nb::ro> array;  ///< keeps them alive
    std::span<const float> values;
};
struct FloatsToWrite {
    nb::ndarray<> array;
    std::span<float> values;
};

/// Throws Error (usage) that begins with `name`, unless `object` is an array of float32 in the CPU's memory,
/// with this shape, in C order; TypeError for what is no array.
FloatsToRead floats_to_read(nb::handle object, const std::string& name, const Shape& shape);
/// In addition, the array must not be read-only.
FloatsToWrite floats_to_write(nb::handle object, const std::string& name, const Shape& shape);

/// The same for uint8 of one axis.
struct BytesToRead {
    nb::ndarray<nb::ro> array;
    std::span<const std::byte> values;
};
struct BytesToWrite {
    nb::ndarray<> array;
    std::span<std::byte> values;
};
BytesToRead bytes_to_read(nb::handle object, const std::string& name, std::size_t count);
BytesToWrite bytes_to_write(nb::handle object, const std::string& name, std::size_t count);

/// A new numpy array of float32 in C order. Its values are whatever the memory held.
nb::object new_array(const Shape& shape);

/// Throws Error (usage) if two of the spans share memory.
void require_apart(const std::vector<std::span<const float>>& spans, const std::string& what);

/// Throws Error (usage) for PyTorch's views that stand for the negative, or the conjugate, of their memory:
/// DLPack tells of the memory alone.
void require_values_in_memory(nb::handle object, const std::string& name);

/// Any array, for its type and shape; invalid if the object is none.
nb::ndarray<nb::ro> any_array(nb::handle object);
/// "uint8 (224, 224, 3)".
std::string array_text(const nb::ndarray<nb::ro>& array);

}  // namespace vgg19::python
