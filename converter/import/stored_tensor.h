// A tensor as stored by another program, and access to its values.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// Element (i, j, …) has index i·strides[0] + j·strides[1] + … from the start of `bytes`, which end with the
/// storage. The creator guarantees that all elements are inside. With a stride of 0 there may be more
/// elements than the storage holds, so check the shape before allocating memory for them. The bytes are
/// little endian and may be unaligned.
struct StoredTensor {
    std::string name;
    model::DType dtype = model::DType::f32;
    std::vector<std::size_t> shape;
    std::vector<std::size_t> strides;
    std::span<const std::byte> bytes;

    std::size_t elements() const;
    /// Row-major without gaps.
    bool contiguous() const;
};

/// Decoded bytes that are not in the file. Moving this object does not move them.
using OwnedBytes = std::vector<std::vector<std::byte>>;

/// The strides of a row-major tensor without gaps.
std::vector<std::size_t> contiguous_strides(const std::vector<std::size_t>& shape);

/// "(64, 3, 3, 3)", for messages.
std::string shape_text(const std::vector<std::size_t>& shape);

/// float16, bfloat16, float32 or float64.
bool is_floating(model::DType dtype);

/// Writes a floating tensor's elements, row-major and converted to T (float or double), to `values`, which
/// has room for elements(). Releases the pages of `mapping` that were read.
template <class T>
void read_values(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values);

/// Reads a tensor (rows, …) as a matrix (rows, columns), converts it to float, and writes it to `values`
/// transposed, (columns, rows). Runs on all CPUs, a few rows at a time. Releases the pages of `mapping` that
/// were read.
void read_transposed(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<float> values);

}  // namespace vgg19::converter
