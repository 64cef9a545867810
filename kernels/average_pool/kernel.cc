#include "kernels/average_pool/average_pool.h"
#include "kernels/average_pool/window.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

/// Pools up to Vector::width channels, which are contiguous in each pixel of `map`; output channels are
/// output_height · output_width apart.
void pool_channels(const AveragePool& problem, const float* map, std::size_t channels, float* output) {
    const std::size_t output_plane = problem.output_height * problem.output_width;
    for (std::size_t y = 0; y < problem.output_height; ++y) {
        const PoolWindow rows = pool_window(y, problem.height, problem.output_height);
        for (std::size_t x = 0; x < problem.output_width; ++x) {
            const PoolWindow columns = pool_window(x, problem.width, problem.output_width);
            Vector::Register sum = Vector::zero();
            for (std::size_t row = rows.begin; row < rows.end; ++row) {
                const float* pixels = map + row * problem.width * problem.block;
                for (std::size_t column = columns.begin; column < columns.end; ++column) {
                    sum = Vector::add(sum, Vector::load(pixels + column * problem.block));
                }
            }
            const auto count = static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
            float values[Vector::width];
            Vector::store(values, Vector::divide(sum, Vector::broadcast(count)));
            float* pixel = output + y * problem.output_width + x;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                pixel[channel * output_plane] = values[channel];
            }
        }
    }
}

}  // namespace

void average_pool(const AveragePool& problem, std::size_t begin, std::size_t end) {
    const std::size_t blocks = blocks_of(problem.channels, problem.block);
    const std::size_t block_size = problem.height * problem.width * problem.block;
    const std::size_t output_plane = problem.output_height * problem.output_width;
    for (std::size_t index = begin; index < end; ++index) {
        const std::size_t image = index / blocks;
        const std::size_t first_channel = index % blocks * problem.block;
        for (std::size_t lane = 0; lane < problem.block; lane += Vector::width) {
            const std::size_t channel = first_channel + lane;
            if (channel >= problem.channels) break;
            const std::size_t left = problem.channels - channel;
            pool_channels(problem, problem.input + index * block_size + lane,
                          left < Vector::width ? left : Vector::width,
                          problem.output + (image * problem.channels + channel) * output_plane);
        }
    }
}

}  // namespace vgg19::kernels::VGG19_ISA
