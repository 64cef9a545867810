#include "kernels/quantize_blocked/quantize_blocked.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

/// Eight channels of a row of the input.
struct EightChannels {
    const float* values;
    std::size_t stride;  ///< floats between pixels; 0 if all pixels are the same zeros
};

EightChannels eight_channels(const QuantizeBlocked& problem, std::size_t image, std::size_t channel,
                             std::size_t row) {
    static constexpr float zeros[8] = {};
    if (channel >= problem.input_blocks() * problem.block) return {zeros, 0};
    return {problem.input + blocked_index(problem.channels, problem.height, problem.width, problem.block,
                                          image, channel, row, 0),
            problem.block};
}

}  // namespace

void quantize_blocked(const QuantizeBlocked& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t half = int8_channel_block / 2;
    const Vector::Sixteen inverse_scale = Vector::broadcast_sixteen(problem.inverse_scale);
    for (std::size_t index = begin; index < end; ++index) {
        const std::size_t block = index / problem.height % problem.output_blocks();
        const std::size_t image = index / problem.height / problem.output_blocks();
        const std::size_t row = index % problem.height;
        std::uint8_t* output = problem.output + index * problem.width * int8_channel_block;
        for (std::size_t part = 0; part < int8_channel_block; part += half) {
            const std::size_t channel = block * int8_channel_block + part;
            const EightChannels lower = eight_channels(problem, image, channel, row);
            const EightChannels upper = eight_channels(problem, image, channel + half / 2, row);
            for (std::size_t pixel = 0; pixel < problem.width; ++pixel) {
                const Vector::Sixteen values =
                    Vector::multiply_sixteen(Vector::load_sixteen(lower.values + pixel * lower.stride,
                                                                  upper.values + pixel * upper.stride),
                                             inverse_scale);
                Vector::store_quantized_sixteen(output + pixel * int8_channel_block + part,
                                                Vector::not_below_zero_sixteen(values));
            }
        }
    }
}

}  // namespace vgg19::kernels::VGG19_ISA
