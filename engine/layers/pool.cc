#include "engine/layers/pool.h"

#include <algorithm>

#include "kernels/common/parallel.h"

namespace vgg19::layers {

MaxPool::MaxPool(std::size_t channels, MapSize size, const Execution& execution)
    : threads_(execution.threads),
      kernel_(kernels::select(kernels::max_pool_kernels(), execution.isa)),
      problem_{.planes = execution.batch * kernels::blocks_of(channels, execution.channel_block()),
               .height = size.height,
               .width = size.width,
               .block = execution.channel_block()} {}

void MaxPool::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    kernels::MaxPool problem = problem_;
    problem.input = as_floats(input);
    problem.output = as_floats(output);
    const std::size_t rows = problem.planes * (problem.height / 2);
    const std::size_t parts = std::min(rows, 4 * static_cast<std::size_t>(threads_));
    kernels::parallel_for(threads_, parts, [&](std::size_t part) {
        const kernels::Range range = kernels::part_of(rows, parts, part);
        kernel_.run(problem, range.begin, range.end);
    });
}

AveragePool2x2::AveragePool2x2(std::size_t channels, MapSize size, const Execution& execution)
    : threads_(execution.threads),
      planes_(execution.batch * kernels::blocks_of(channels, execution.channel_block())),
      size_(size),
      block_(execution.channel_block()) {}

void AveragePool2x2::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    const MapSize pooled = size_.halved();
    const std::size_t row_size = size_.width * block_;
    kernels::parallel_for(threads_, planes_ * pooled.height, [&](std::size_t row) {
        const std::size_t input_row = row / pooled.height * size_.height + 2 * (row % pooled.height);
        const float* from = as_floats(input) + input_row * row_size;
        float* to = as_floats(output) + row * pooled.width * block_;
        for (std::size_t i = 0; i < pooled.width * block_; ++i) {
            const float* square = from + i / block_ * 2 * block_ + i % block_;
            to[i] = ((square[0] + square[block_]) + (square[row_size] + square[row_size + block_])) / 4;
        }
    });
}

AveragePool::AveragePool(std::size_t channels, MapSize size, MapSize output_size, const Execution& execution)
    : threads_(execution.threads),
      kernel_(kernels::select(kernels::average_pool_kernels(), execution.isa)),
      problem_{.batch = execution.batch,
               .channels = channels,
               .height = size.height,
               .width = size.width,
               .output_height = output_size.height,
               .output_width = output_size.width,
               .block = execution.channel_block()} {}

void AveragePool::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    kernels::AveragePool problem = problem_;
    problem.input = as_floats(input);
    problem.output = as_floats(output);
    const std::size_t blocks = problem.batch * kernels::blocks_of(problem.channels, problem.block);
    kernels::parallel_for(threads_, blocks,
                          [&](std::size_t block) { kernel_.run(problem, block, block + 1); });
}

}  // namespace vgg19::layers
