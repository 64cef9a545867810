#include "engine/layers/pool.h"

#include "engine/layers/row_loop.h"
#include "kernels/common/parallel.h"

namespace vgg19::layers {

namespace {

/// The problem of a 2×2 pool: MaxPool or AveragePool2x2.
template <class Problem>
Problem pool_problem(std::size_t channels, MapSize size, const Execution& execution) {
    return {.planes = execution.batch * kernels::blocks_of(channels, execution.channel_block()),
            .height = size.height,
            .width = size.width,
            .block = execution.channel_block()};
}

/// Runs a 2×2 pool.
template <class Function, class Problem>
void pool_rows(Function* run, Problem problem, const std::byte* input, std::byte* output, int threads) {
    problem.input = as_floats(input);
    problem.output = as_floats(output);
    for_rows(problem.planes * (problem.height / 2), threads,
             [&](std::size_t begin, std::size_t end) { run(problem, begin, end); });
}

}  // namespace

MaxPool::MaxPool(std::size_t channels, MapSize size, const Execution& execution)
    : threads_(execution.threads),
      kernel_(kernels::select(kernels::max_pool_kernels(), execution.isa)),
      problem_(pool_problem<kernels::MaxPool>(channels, size, execution)) {}

void MaxPool::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    pool_rows(kernel_.run, problem_, input, output, threads_);
}

AveragePool2x2::AveragePool2x2(std::size_t channels, MapSize size, const Execution& execution)
    : threads_(execution.threads),
      kernel_(kernels::select(kernels::average_pool_2x2_kernels(), execution.isa)),
      problem_(pool_problem<kernels::AveragePool2x2>(channels, size, execution)) {}

void AveragePool2x2::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    pool_rows(kernel_.run, problem_, input, output, threads_);
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
