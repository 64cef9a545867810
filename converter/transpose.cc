#include "converter/transpose.h"

#include <algorithm>
#include <cstdint>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// A tile's side is a cache line; if the matrices are aligned, tiles consist of whole cache lines.
template <class T>
constexpr std::size_t tile = 64 / sizeof(T);

template <class T>
void transpose_tile(MatrixView<const T> source, std::size_t rows, std::size_t columns, MatrixView<T> target) {
    for (std::size_t column = 0; column < columns; ++column) {
        T* line = target.values + column * target.stride;
        for (std::size_t row = 0; row < rows; ++row) line[row] = source.values[row * source.stride + column];
    }
}

}  // namespace

template <class T>
void transpose(MatrixView<const T> source, std::size_t rows, std::size_t columns, MatrixView<T> target) {
    for (std::size_t column = 0; column < columns; column += tile<T>) {
        for (std::size_t row = 0; row < rows; row += tile<T>) {
            transpose_tile<T>({source.values + row * source.stride + column, source.stride},
                              std::min(tile<T>, rows - row), std::min(tile<T>, columns - column),
                              {target.values + column * target.stride + row, target.stride});
        }
    }
}

template <class T>
kernels::AlignedBuffer transposed(std::span<const T> source, std::size_t rows, std::size_t columns,
                                  const model::MappedFile& mapping) {
    constexpr std::size_t rows_per_task = 4 * tile<T>;
    kernels::AlignedBuffer target(source.size_bytes());
    const std::size_t tasks = (rows + rows_per_task - 1) / rows_per_task;
    kernels::parallel_for(kernels::available_cpus(), tasks, [&](std::size_t task) {
        const std::size_t row = task * rows_per_task;
        const std::size_t count = std::min(rows_per_task, rows - row);
        const std::span<const T> part = source.subspan(row * columns, count * columns);
        transpose<T>({part.data(), columns}, count, columns, {target.as<T>() + row, rows});
        mapping.release(std::as_bytes(part));
    });
    return target;
}

template void transpose(MatrixView<const float>, std::size_t, std::size_t, MatrixView<float>);
template void transpose(MatrixView<const std::int8_t>, std::size_t, std::size_t, MatrixView<std::int8_t>);
template kernels::AlignedBuffer transposed(std::span<const float>, std::size_t, std::size_t,
                                           const model::MappedFile&);
template kernels::AlignedBuffer transposed(std::span<const std::int8_t>, std::size_t, std::size_t,
                                           const model::MappedFile&);

}  // namespace vgg19::converter
