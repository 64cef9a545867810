#include "engine/layers/pool.h"

#include "engine/layers/row_loop.h"
#include "kernels/common/parallel.h"

namespace vgg19::layers {

kernels::Pool2x2 pool_2x2_problem(std::size_t channels, MapSize size, const Execution& execution) {
    return {.planes = execution.batch * kernels::blocks_of(channels, execution.channel_block()),
            .height = size.height,
            .width = size.width,
            .block = execution.channel_block()};
}

Pool2x2::Pool2x2(kernels::Kernel<kernels::Pool2x2Function> kernel, std::size_t channels, MapSize size,
                 const Execution& execution)
    : threads_(execution.threads), kernel_(kernel), problem_(pool_2x2_problem(channels, size, execution)) {}

void Pool2x2::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    kernels::Pool2x2 problem = problem_;
    problem.input = as_floats(input);
    problem.output = as_floats(output);
    for_rows(problem.output_rows(), threads_,
             [&](std::size_t begin, std::size_t end) { kernel_.run(problem, begin, end); });
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
