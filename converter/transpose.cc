#include "converter/transpose.h"

#include <algorithm>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// A cache line of floats: a tile's rows and columns are whole lines, where matrices begin at one.
constexpr std::size_t tile = 16;

void transpose_tile(MatrixView<const float> source, std::size_t rows, std::size_t columns,
                    MatrixView<float> target) {
    for (std::size_t column = 0; column < columns; ++column) {
        float* line = target.values + column * target.stride;
        for (std::size_t row = 0; row < rows; ++row) line[row] = source.values[row * source.stride + column];
    }
}

}  // namespace

void transpose(MatrixView<const float> source, std::size_t rows, std::size_t columns,
               MatrixView<float> target) {
    for (std::size_t column = 0; column < columns; column += tile) {
        for (std::size_t row = 0; row < rows; row += tile) {
            transpose_tile({source.values + row * source.stride + column, source.stride},
                           std::min(tile, rows - row), std::min(tile, columns - column),
                           {target.values + column * target.stride + row, target.stride});
        }
    }
}

kernels::AlignedBuffer transposed(std::span<const float> source, std::size_t rows, std::size_t columns,
                                  const model::MappedFile& mapping) {
    constexpr std::size_t rows_per_task = 4 * tile;
    kernels::AlignedBuffer target(source.size_bytes());
    const std::size_t tasks = (rows + rows_per_task - 1) / rows_per_task;
    kernels::parallel_for(kernels::available_cpus(), tasks, [&](std::size_t task) {
        const std::size_t row = task * rows_per_task;
        const std::size_t count = std::min(rows_per_task, rows - row);
        const std::span<const float> part = source.subspan(row * columns, count * columns);
        transpose({part.data(), columns}, count, columns, {target.as<float>() + row, rows});
        mapping.release(std::as_bytes(part));
    });
    return target;
}

}  // namespace vgg19::converter
