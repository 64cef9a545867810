#include "kernels/onednn/training/conv_weights_gradient.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/library.h"

namespace vgg19::kernels {

namespace {

using namespace onednn;
using Description = dnnl::convolution_backward_weights::primitive_desc;
using Format = dnnl::memory::format_tag;

/// Of one image. Our layouts for the activations, oneDNN's own for the gradient of the weights.
Description describe(const ConvWeightsGradientShape& shape) {
    constexpr dnnl::memory::dim batch = 1;
    const auto height = dimension(shape.height);
    const auto width = dimension(shape.width);
    const auto inputs = dimension(shape.input_channels);
    const auto outputs = dimension(shape.output_channels);
    const Format blocked = blocked_format(shape.block);
    const auto input = fp32({batch, inputs, height, width}, shape.plain_input ? Format::nchw : blocked);
    const auto weights = fp32({outputs, inputs, 3, 3}, Format::any);
    const auto bias = fp32({outputs}, Format::a);
    const auto output = fp32({batch, outputs, height, width}, blocked);
    const dnnl::memory::dims ones = {1, 1};
    constexpr auto training = dnnl::prop_kind::forward_training;
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::convolution_forward::primitive_desc forward(cpu(), training, direct, input, weights, bias,
                                                            output, ones, ones, ones);
    return {cpu(), direct, input, weights, bias, output, ones, ones, ones, forward, attributes};
#else
    const dnnl::convolution_forward::primitive_desc forward(
        {training, direct, input, weights, bias, output, ones, ones, ones}, cpu());
    return {{direct, input, weights, bias, output, ones, ones, ones}, attributes, cpu(), forward};
#endif
}

Description require(const ConvWeightsGradientShape& shape) {
    require_memory();
    try {
        return describe(shape);
    } catch (const dnnl::error& error) {
        rethrow_shortage(error);
        throw std::runtime_error(
            "oneDNN has no gradient of a convolution of " + std::to_string(shape.input_channels) + " → " +
            std::to_string(shape.output_channels) + " channels, " + std::to_string(shape.height) + "×" +
            std::to_string(shape.width) + ": " + error.what());
    }
}

/// Converts between layouts and adds to the existing values.
dnnl::reorder::primitive_desc describe_sum(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
    dnnl::post_ops post_ops;
    post_ops.append_sum(1.0F);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post_ops);
    return {cpu(), from, cpu(), to, attributes};
}

std::size_t in_lines(std::size_t bytes) {
    constexpr std::size_t line = 64;
    return (bytes + line - 1) / line * line;
}

}  // namespace

struct ConvWeightsGradient::State {
    State(const ConvWeightsGradientShape& shape, int thread_count)
        : threads(sets_openmp_threads() ? std::min(thread_count, static_cast<int>(shape.batch)) : 1),
          images(shape.batch),
          input_floats(shape.plain_input
                           ? shape.input_channels * shape.height * shape.width
                           : blocked_size(1, shape.input_channels, shape.height, shape.width, shape.block)),
          output_floats(blocked_size(1, shape.output_channels, shape.height, shape.width, shape.block)),
          output_channels(shape.output_channels),
          description(require(shape)),
          plain(
              fp32({dimension(shape.output_channels), dimension(shape.input_channels), 3, 3}, Format::oihw)),
          weights_bytes(in_lines(description.diff_weights_desc().get_size())),
          bias_bytes(in_lines(description.diff_bias_desc().get_size())),
          scratchpad_bytes(in_lines(description.scratchpad_desc().get_size())) {}

    /// Writes the gradients of one image: those of the weights, then those of the bias.
    void run_image(const float* input, const float* output_gradient, std::byte* gradients,
                   std::byte* scratchpad) {
        const OpenMpThreads scope(1);
        dnnl::stream stream{cpu()};
        primitive.execute(
            stream, {{DNNL_ARG_SRC, {description.src_desc(), cpu(), writable(input)}},
                     {DNNL_ARG_DIFF_DST, {description.diff_dst_desc(), cpu(), writable(output_gradient)}},
                     {DNNL_ARG_DIFF_WEIGHTS, {description.diff_weights_desc(), cpu(), gradients}},
                     {DNNL_ARG_DIFF_BIAS, {description.diff_bias_desc(), cpu(), gradients + weights_bytes}},
                     {DNNL_ARG_SCRATCHPAD, {description.scratchpad_desc(), cpu(), scratchpad}}});
        stream.wait();
    }

    std::size_t gradient_bytes() const { return weights_bytes + bias_bytes; }

    int threads;
    std::size_t images;
    std::size_t input_floats;   ///< of an image
    std::size_t output_floats;  ///< of an image
    std::size_t output_channels;
    Description description;
    dnnl::memory::desc plain;
    std::size_t weights_bytes;  ///< of an image's gradient
    std::size_t bias_bytes;
    std::size_t scratchpad_bytes;  ///< of a thread
    std::string implementation = description.impl_info_str();
    dnnl::convolution_backward_weights primitive{description};
    dnnl::reorder add{describe_sum(description.diff_weights_desc(), plain)};
};

ConvWeightsGradient::ConvWeightsGradient(const ConvWeightsGradientShape& shape, int threads) {
    const OpenMpThreads scope(1);
    try {
        state_ = std::make_unique<State>(shape, threads);
    } catch (const dnnl::error& error) {
        rethrow_shortage(error);
        throw;
    }
}

ConvWeightsGradient::ConvWeightsGradient(ConvWeightsGradient&&) noexcept = default;
ConvWeightsGradient& ConvWeightsGradient::operator=(ConvWeightsGradient&&) noexcept = default;
ConvWeightsGradient::~ConvWeightsGradient() = default;

void ConvWeightsGradient::run(const float* input, const float* output_gradient, float* weights_gradient,
                              float* bias_gradient, std::byte* scratch) {
    State& state = *state_;
    std::byte* const scratchpads = scratch + state.images * state.gradient_bytes();
    parallel_workers(state.threads, state.images, [&](std::size_t worker, std::size_t image) {
        state.run_image(input + image * state.input_floats, output_gradient + image * state.output_floats,
                        scratch + image * state.gradient_bytes(),
                        scratchpads + worker * state.scratchpad_bytes);
    });
    auto* const sum = reinterpret_cast<float*>(scratch);
    const std::size_t floats = state.gradient_bytes() / sizeof(float);
    for (std::size_t image = 1; image < state.images; ++image) {
        for (std::size_t i = 0; i < floats; ++i) sum[i] += sum[image * floats + i];
    }

    const OpenMpThreads scope(1);
    dnnl::stream stream{cpu()};
    dnnl::memory batch_weights(state.description.diff_weights_desc(), cpu(), scratch);
    dnnl::memory weights(state.plain, cpu(), weights_gradient);
    state.add.execute(stream, batch_weights, weights);
    stream.wait();
    const float* const batch_bias = sum + state.weights_bytes / sizeof(float);
    for (std::size_t i = 0; i < state.output_channels; ++i) bias_gradient[i] += batch_bias[i];
}

std::size_t ConvWeightsGradient::scratch_bytes() const {
    return state_->images * state_->gradient_bytes() +
           static_cast<std::size_t>(state_->threads) * state_->scratchpad_bytes;
}
const std::string& ConvWeightsGradient::implementation() const {
    return state_->implementation;
}

}  // namespace vgg19::kernels
