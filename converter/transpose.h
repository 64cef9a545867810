// Transposes matrices, to change the order of dense weights.
#pragma once

#include <cstddef>
#include <span>

#include "engine/model/mapped_file.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

/// A row-major matrix with a stride between rows.
template <class T>
struct MatrixView {
    T* values = nullptr;
    std::size_t stride = 0;  ///< elements between the starts of consecutive rows
};

/// target[column][row] = source[row][column], tile by tile, on the calling thread. For float and std::int8_t.
template <class T>
void transpose(MatrixView<const T> source, std::size_t rows, std::size_t columns, MatrixView<T> target);

/// The transpose of a contiguous matrix in a mapped file, on all CPUs. Releases the file's pages as soon as
/// they are read, so that the matrix is in memory about once. For float and std::int8_t.
template <class T>
kernels::AlignedBuffer transposed(std::span<const T> source, std::size_t rows, std::size_t columns,
                                  const model::MappedFile& mapping);

}  // namespace vgg19::converter
