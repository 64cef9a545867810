#include "engine/layers/pool_gradient.h"

#include "engine/layers/pool.h"
#include "engine/layers/row_loop.h"
#include "kernels/common/parallel.h"

namespace vgg19::layers {

namespace {

std::size_t planes_of(std::size_t channels, const Execution& execution) {
    return execution.batch * kernels::blocks_of(channels, execution.channel_block());
}

const kernels::PoolGradientKernels& kernels_of(const Execution& execution) {
    return *kernels::select(kernels::pool_gradient_kernels(), execution.isa).run;
}

class RecordingMaxPool final : public Operation {
  public:
    RecordingMaxPool(std::size_t channels, MapSize size, std::uint8_t* choices, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::pool_gradient_kernels(), execution.isa)),
          problem_{.pool = pool_2x2_problem(channels, size, execution), .choices = choices} {}

    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        kernels::RecordingMaxPool problem = problem_;
        problem.pool.input = as_floats(input);
        problem.pool.output = as_floats(output);
        for_rows(problem.pool.output_rows(), threads_,
                 [&](std::size_t begin, std::size_t end) { kernel_.run->max_pool(problem, begin, end); });
    }
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<const kernels::PoolGradientKernels> kernel_;
    kernels::RecordingMaxPool problem_;
};

}  // namespace

std::unique_ptr<Operation> make_recording_max_pool(std::size_t channels, MapSize size, std::uint8_t* choices,
                                                   const Execution& execution) {
    return std::make_unique<RecordingMaxPool>(channels, size, choices, execution);
}

std::size_t max_pool_choices_bytes(std::size_t channels, MapSize size, const Execution& execution) {
    return kernels::max_pool_choices_size(planes_of(channels, execution) * size.halved().pixels() *
                                          execution.channel_block());
}

void pool_gradient(std::size_t channels, MapSize size, const float* pooled, const std::uint8_t* choices,
                   const std::uint8_t* passes, float* gradient, const Execution& execution) {
    const kernels::PoolGradient problem = {.planes = planes_of(channels, execution),
                                           .height = size.height,
                                           .width = size.width,
                                           .block = execution.channel_block(),
                                           .pooled = pooled,
                                           .choices = choices,
                                           .positive = passes,
                                           .gradient = gradient};
    const kernels::PoolGradientKernels& kernel = kernels_of(execution);
    const auto run = choices != nullptr ? kernel.of_max_pool : kernel.of_average_pool;
    for_rows(problem.rows(), execution.threads,
             [&](std::size_t begin, std::size_t end) { run(problem, begin, end); });
}

void adaptive_pool_gradient(std::size_t channels, MapSize size, MapSize pooled_size, const float* pooled,
                            const std::uint8_t* passes, float* gradient, const Execution& execution) {
    const kernels::AdaptivePoolGradient problem = {.batch = execution.batch,
                                                   .channels = channels,
                                                   .height = size.height,
                                                   .width = size.width,
                                                   .pooled_height = pooled_size.height,
                                                   .pooled_width = pooled_size.width,
                                                   .block = execution.channel_block(),
                                                   .pooled = pooled,
                                                   .positive = passes,
                                                   .gradient = gradient};
    const kernels::PoolGradientKernels& kernel = kernels_of(execution);
    kernels::parallel_for(execution.threads, planes_of(channels, execution),
                          [&](std::size_t block) { kernel.of_adaptive_pool(problem, block, block + 1); });
}

}  // namespace vgg19::layers
