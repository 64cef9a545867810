// Matrices change between the two orders of dense weights.
#pragma once

#include <cstddef>
#include <span>

#include "engine/model/mapped_file.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

/// A row-major matrix whose rows may be further apart than they are long.
template <class T>
struct MatrixView {
    T* values = nullptr;
    std::size_t stride = 0;  ///< elements from one row to the next
};

/// target[column][row] = source[row][column], tile by tile, on this thread. For float and std::int8_t.
template <class T>
void transpose(MatrixView<const T> source, std::size_t rows, std::size_t columns, MatrixView<T> target);

/// The transpose of a matrix without gaps that is part of a mapped file, on all CPUs. Pages of the file are
/// released as they are read, so that it is in memory about once. For float and std::int8_t.
template <class T>
kernels::AlignedBuffer transposed(std::span<const T> source, std::size_t rows, std::size_t columns,
                                  const model::MappedFile& mapping);

}  // namespace vgg19::converter
