// The gradient of a 3×3 FP32 convolution with respect to its input: a convolution of the output's gradient
// with the filters rotated by 180° and input and output channels exchanged, by the kernels of
// kernels/winograd.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/layers/convolution.h"
#include "engine/layers/execution.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/winograd/schedule.h"

namespace vgg19::layers {

class ConvolutionGradient {
  public:
    /// `shape` is that of the convolution itself. Packs its weights, [output_channels][input_channels][3][3],
    /// unless the map is so large that transforming the filters anew in each run takes little of its time:
    /// such filters would only take memory.
    ConvolutionGradient(const ConvolutionShape& shape, const float* weights, const Execution& execution);

    /// For another size and batch, with the same tile and packed weights.
    void reshape(MapSize size, const Execution& execution);

    /// Gradients are in the blocked layout, with zeros in padding channels. `weights` as above. Values of the
    /// result whose bit in `passes` (kernels/relu/relu.h) is not set become zero; null lets all pass.
    void run(const float* output_gradient, float* input_gradient, const float* weights,
             const std::uint8_t* passes, std::byte* scratch);

    /// Whether run() reads `weights`.
    bool packs_in_each_run() const { return packed_.size() == 0; }
    std::size_t scratch_bytes() const;
    std::uint64_t operations() const { return problem_.operations(); }

  private:
    std::size_t packed_bytes() const { return problem_.packed_size() * sizeof(float); }
    void pack(const float* weights, float* packed) const;

    int threads_;
    kernels::Kernel<const kernels::WinogradSteps> kernel_;
    kernels::Winograd problem_;
    kernels::WinogradSchedule schedule_;
    kernels::AlignedBuffer zero_bias_;
    kernels::AlignedBuffer packed_;  ///< empty if each run packs
};

}  // namespace vgg19::layers
