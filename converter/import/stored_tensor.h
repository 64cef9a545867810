// A tensor as other people's files store it, and its values.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// Element (i, j, …) is number i·strides[0] + j·strides[1] + … from the start of `bytes`, which end with the
/// storage. Whoever makes one sees to it that all elements are inside. They may be more than the storage
/// holds, where a stride is 0: check the shape before you take memory for them. The bytes are little endian,
/// and need not be aligned.
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

/// Bytes that are not in the file as they are. Moving it leaves them where they are.
using OwnedBytes = std::vector<std::vector<std::byte>>;

/// The strides of a row-major tensor without gaps.
std::vector<std::size_t> contiguous_strides(const std::vector<std::size_t>& shape);

/// "(64, 3, 3, 3)", for messages.
std::string shape_text(const std::vector<std::size_t>& shape);

/// float16, bfloat16, float32 or float64.
bool is_floating(model::DType dtype);

/// Writes the elements of a tensor of floating type, row-major and converted to T (float or double), to
/// `values`, which has room for elements(). Pages of `mapping` that were read are released.
template <class T>
void read_values(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values);

/// Writes the elements of a tensor (rows, …), as the matrix (rows, columns) that they are, converted to
/// float, to `values` as (columns, rows); on all CPUs, in pieces of few rows. Pages of `mapping` that were
/// read are released.
void read_transposed(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<float> values);

}  // namespace vgg19::converter
