#include "engine/layers/quantization.h"

#include "kernels/common/parallel.h"

namespace vgg19::layers {

Quantization::Quantization(std::size_t channels, MapSize size, float scale, const Execution& execution)
    : threads_(execution.threads),
      kernel_(kernels::select(kernels::quantize_blocked_kernels(), execution.isa)),
      problem_{.batch = execution.batch,
               .channels = channels,
               .height = size.height,
               .width = size.width,
               .block = execution.channel_block(),
               .inverse_scale = 1.0F / scale} {}

void Quantization::run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) {
    kernels::QuantizeBlocked problem = problem_;
    problem.input = as_floats(input);
    problem.output = as_int8(output);
    const std::size_t maps = problem.batch * problem.output_blocks();
    kernels::parallel_for(threads_, maps, [&](std::size_t map) {
        kernel_.run(problem, map * problem.height, (map + 1) * problem.height);
    });
}

}  // namespace vgg19::layers
