#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/onednn/conv_onednn.h"

namespace vgg19::kernels {

namespace {

void conv_onednn(benchmark::State& state, Isa isa, bool winograd) {
    const ConvolutionShape layer = shape_of(state);
    const ConvOneDnnShape shape = {.input_channels = layer.input_channels,
                                   .output_channels = layer.output_channels,
                                   .height = layer.side,
                                   .width = layer.side,
                                   .plain_input = layer.input_channels == 3,
                                   .winograd = winograd};
    if (!ConvOneDnn::supports(shape, isa)) {
        state.SkipWithError("oneDNN has none for this shape");
        return;
    }
    const std::vector<float> weights(shape.input_channels * shape.output_channels * 9, 0.01F);
    const std::vector<float> bias(shape.output_channels, 0.1F);
    const ConvOneDnn convolution(shape, isa, threads_of(state), weights.data(), bias.data());
    const std::size_t block = channel_block(isa);
    const AlignedBuffer input(blocked_size(1, shape.input_channels, shape.height, shape.width, block) *
                              sizeof(float));
    AlignedBuffer output(blocked_size(1, shape.output_channels, shape.height, shape.width, block) *
                         sizeof(float));
    AlignedBuffer scratch(convolution.scratch_bytes());
    while (state.KeepRunning()) convolution.run(input.as<float>(), output.as<float>(), scratch.data());
    // oneDNN's Winograd is F(4,3): it takes 36 products for 16 results, direct convolution 144.
    count_operations(state, layer.operations(), layer.operations() * (winograd ? 0.25 : 1));
    state.SetLabel(convolution.implementation());
}

/// Whether oneDNN supports Winograd at all: 2.x, with AVX-512.
bool has_winograd(Isa isa) {
    const ConvOneDnnShape shape = {
        .input_channels = 64, .output_channels = 64, .height = 56, .width = 56, .winograd = true};
    return ConvOneDnn::supports(shape, isa);
}

const bool registered = [] {
    for (const Isa isa : {Isa::avx2, Isa::avx512}) {
        if (!cpu_supports(isa)) continue;
        const std::string name = std::string("conv_onednn_") + isa_name(isa);
        add_vgg19_shapes(benchmark::RegisterBenchmark(name.c_str(), conv_onednn, isa, false), 3);
        if (!has_winograd(isa)) continue;
        const std::string winograd = std::string("winograd_onednn_") + isa_name(isa);
        add_vgg19_shapes(benchmark::RegisterBenchmark(winograd.c_str(), conv_onednn, isa, true), 64);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
