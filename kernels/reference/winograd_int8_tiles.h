// For tests: the transforms of kernels/winograd_int8's two tiles, of one tile and channel, in plain loops.
#pragma once

#include <cstdint>
#include <vector>

namespace vgg19::kernels {

/// V at each position, from 4×4 or 6×6 pixels.
std::vector<std::int32_t> reference_input_f2x2(const std::vector<std::int32_t>& pixels);
std::vector<std::int32_t> reference_input_f4x4(const std::vector<std::int32_t>& pixels);

/// What the output transform reads: x = float(M) and its multiplier k at each position.
struct ReferenceProducts {
    std::vector<float> x;
    std::vector<float> k;
    float bias;
};
/// The pixels, 2×2 or 4×4.
std::vector<float> reference_output_f2x2(const ReferenceProducts& products);
std::vector<float> reference_output_f4x4(const ReferenceProducts& products);

}  // namespace vgg19::kernels
