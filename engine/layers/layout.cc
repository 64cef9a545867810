#include "engine/layers/layout.h"

#include <algorithm>

#include "kernels/common/parallel.h"
#include "kernels/layout/layout.h"
#include "kernels/relu/relu.h"

namespace vgg19::layers {

namespace {

kernels::LayoutShape shape_of(std::size_t channels, MapSize size, const Execution& execution) {
    return {.batch = execution.batch,
            .channels = channels,
            .pixels = size.pixels(),
            .block = execution.channel_block()};
}

/// Calls body(begin, end) for parts of the values of blocked maps.
template <class Body>
void for_values(std::size_t values, int threads, const Body& body) {
    constexpr std::size_t part_values = std::size_t{1} << 14U;
    kernels::parallel_for(threads, kernels::blocks_of(values, part_values), [&](std::size_t part) {
        body(part * part_values, std::min((part + 1) * part_values, values));
    });
}

}  // namespace

void to_plain(std::size_t channels, MapSize size, float scale, const float* blocked, float* plain,
              const Execution& execution) {
    // More than caches hold for long: then lines need not be read before they are written.
    constexpr std::size_t large = std::size_t{4} << 20U;
    const kernels::BlockedToPlain problem = {
        .shape = shape_of(channels, size, execution),
        .scale = scale,
        .past_caches = execution.batch * channels * size.pixels() * sizeof(float) >= large,
        .blocked = blocked,
        .plain = plain};
    const auto& kernel = kernels::select(kernels::layout_kernels(), execution.isa);
    kernels::parallel_for(execution.threads, problem.shape.pieces(),
                          [&](std::size_t piece) { kernel.run->to_plain(problem, piece, piece + 1); });
}

void to_blocked(std::size_t channels, MapSize size, const float* plain, bool adds, const std::uint8_t* passes,
                float* blocked, const Execution& execution) {
    const kernels::PlainToBlocked problem = {.shape = shape_of(channels, size, execution),
                                             .adds = adds,
                                             .plain = plain,
                                             .positive = passes,
                                             .blocked = blocked};
    const auto& kernel = kernels::select(kernels::layout_kernels(), execution.isa);
    kernels::parallel_for(execution.threads, problem.shape.pieces(),
                          [&](std::size_t piece) { kernel.run->to_blocked(problem, piece, piece + 1); });
}

void record_positive(std::size_t values, const float* blocked, std::uint8_t* positive,
                     const Execution& execution) {
    const auto& kernel = kernels::select(kernels::relu_kernels(), execution.isa);
    for_values(values, execution.threads, [&](std::size_t begin, std::size_t end) {
        kernel.run->positive(blocked, begin, end, positive);
    });
}

void apply_positive(std::size_t values, const std::uint8_t* positive, float* blocked,
                    const Execution& execution) {
    const auto& kernel = kernels::select(kernels::relu_kernels(), execution.isa);
    for_values(values, execution.threads, [&](std::size_t begin, std::size_t end) {
        kernel.run->gradient(blocked, begin, end, positive);
    });
}

}  // namespace vgg19::layers
