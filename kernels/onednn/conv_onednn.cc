#include "kernels/onednn/conv_onednn.h"

#include <array>
#include <stdexcept>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/openmp.h"
#include "kernels/onednn/implementation_isa.h"
#include "kernels/onednn/library.h"

namespace vgg19::kernels {

namespace {

using namespace onednn;

using PrimitiveDescription = dnnl::convolution_forward::primitive_desc;
using Dimensions = dnnl::memory::dims;
using Format = dnnl::memory::format_tag;

/// Applies ReLU as a post-op, and takes scratch memory from the caller, since run() must not allocate.
dnnl::primitive_attr attributes(bool relu) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (!relu) return attributes;
    dnnl::post_ops post_ops;
#if DNNL_VERSION_MAJOR >= 3
    post_ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
    post_ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
    attributes.set_post_ops(post_ops);
    return attributes;
}

/// The request to oneDNN: our layouts for input and output, its own for the weights.
struct Request {
    dnnl::memory::desc input;
    dnnl::memory::desc weights;
    dnnl::memory::desc bias;
    dnnl::memory::desc output;

    Request(const ConvOneDnnShape& shape, Isa isa) {
        const dnnl::memory::dim batch = dimension(shape.batch);
        const dnnl::memory::dim height = dimension(shape.height);
        const dnnl::memory::dim width = dimension(shape.width);
        const dnnl::memory::dim input_channels = dimension(shape.input_channels);
        const dnnl::memory::dim output_channels = dimension(shape.output_channels);
        const Format blocked = blocked_format(channel_block(isa));
        input = fp32({batch, input_channels, height, width}, shape.plain_input ? Format::nchw : blocked);
        weights = fp32({output_channels, input_channels, 3, 3}, Format::any);
        bias = fp32({output_channels}, Format::a);
        output = fp32({batch, output_channels, height, width}, blocked);
    }
};

PrimitiveDescription first_of_isa(PrimitiveDescription candidate, Isa isa) {
    const Isa wanted = runs(isa, Isa::avx512) ? Isa::avx512 : Isa::avx2;
    do {
        if (isa_of_implementation(candidate.impl_info_str()) == wanted) return candidate;
    } while (candidate.next_impl());
    return {};
}

/// oneDNN's preferred implementation for that ISA; an empty description if there is none.
PrimitiveDescription choose(const ConvOneDnnShape& shape, Isa isa) {
    if (!runs(isa, Isa::avx2)) return {};
    require_memory();
    const Request request(shape, isa);
    const Dimensions ones = {1, 1};
    constexpr auto inference = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    if (shape.winograd) return {};
    constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#else
    const auto algorithm =
        shape.winograd ? dnnl::algorithm::convolution_winograd : dnnl::algorithm::convolution_direct;
#endif
    try {
#if DNNL_VERSION_MAJOR >= 3
        return first_of_isa({cpu(), inference, algorithm, request.input, request.weights, request.bias,
                             request.output, ones, ones, ones, attributes(shape.relu)},
                            isa);
#else
        // next_impl() reads this again, so it must live until the loop ends.
        const dnnl::convolution_forward::desc operation(inference, algorithm, request.input, request.weights,
                                                        request.bias, request.output, ones, ones, ones);
        return first_of_isa({operation, attributes(shape.relu), cpu()}, isa);
#endif
    } catch (const dnnl::error& error) {
        rethrow_shortage(error);
        return {};  // oneDNN has no candidate for any ISA
    }
}

PrimitiveDescription require(const ConvOneDnnShape& shape, Isa isa) {
    PrimitiveDescription description = choose(shape, isa);
    if (description) return description;
    throw std::runtime_error("oneDNN " + onednn_version() + " has no " + isa_name(isa) + " convolution for " +
                             std::to_string(shape.input_channels) + " → " +
                             std::to_string(shape.output_channels) + " channels, " +
                             std::to_string(shape.height) + "×" + std::to_string(shape.width));
}

}  // namespace

struct ConvOneDnn::State {
    State(const ConvOneDnnShape& shape, Isa isa, int thread_count)
        : threads(thread_count), description(require(shape, isa)) {}

    void pack(const ConvOneDnnShape& shape, const float* weights, const float* bias) {
        const auto output_channels = dimension(shape.output_channels);
        const auto input_channels = dimension(shape.input_channels);
        dnnl::memory plain(fp32({output_channels, input_channels, 3, 3}, Format::oihw), cpu(),
                           writable(weights));
        packed = AlignedBuffer(description.weights_desc().get_size());
        packed_weights = dnnl::memory(description.weights_desc(), cpu(), packed.data());
        dnnl::reorder(plain, packed_weights).execute(stream, plain, packed_weights);
        packed_bias = AlignedBuffer(shape.output_channels * sizeof(float));
        std::copy_n(bias, shape.output_channels, packed_bias.as<float>());
        bias_memory = dnnl::memory(description.bias_desc(), cpu(), packed_bias.data());
        input = dnnl::memory(description.src_desc(), cpu(), DNNL_MEMORY_NONE);
        output = dnnl::memory(description.dst_desc(), cpu(), DNNL_MEMORY_NONE);
        scratch = dnnl::memory(description.scratchpad_desc(), cpu(), DNNL_MEMORY_NONE);
        stream.wait();
    }

    int threads;
    PrimitiveDescription description;
    std::string implementation = description.impl_info_str();
    dnnl::convolution_forward primitive{description};
    dnnl::stream stream{cpu()};
    AlignedBuffer packed;
    AlignedBuffer packed_bias;
    dnnl::memory packed_weights;
    dnnl::memory bias_memory;
    dnnl::memory input;
    dnnl::memory output;
    dnnl::memory scratch;
};

bool ConvOneDnn::supports(const ConvOneDnnShape& shape, Isa isa) {
    return static_cast<bool>(choose(shape, isa));
}

ConvOneDnn::ConvOneDnn(const ConvOneDnnShape& shape, Isa isa, int threads, const float* weights,
                       const float* bias) {
    const OpenMpThreads scope(threads);
    try {
        state_ = std::make_unique<State>(shape, isa, threads);
        require_memory();
        state_->pack(shape, weights, bias);
    } catch (const dnnl::error& error) {
        rethrow_shortage(error);
        throw;
    }
}

ConvOneDnn::ConvOneDnn(ConvOneDnn&&) noexcept = default;
ConvOneDnn& ConvOneDnn::operator=(ConvOneDnn&&) noexcept = default;
ConvOneDnn::~ConvOneDnn() = default;

void ConvOneDnn::run(const float* input, float* output, std::byte* scratch) const {
    const OpenMpThreads scope(state_->threads);
    state_->input.set_data_handle(writable(input));
    state_->output.set_data_handle(output);
    state_->scratch.set_data_handle(scratch);
    // Uses the C interface, which takes an array of arguments; the C++ one would build a map and a vector in
    // each run.
    const std::array arguments = {
        dnnl_exec_arg_t{DNNL_ARG_SRC, state_->input.get()},
        dnnl_exec_arg_t{DNNL_ARG_WEIGHTS, state_->packed_weights.get()},
        dnnl_exec_arg_t{DNNL_ARG_BIAS, state_->bias_memory.get()},
        dnnl_exec_arg_t{DNNL_ARG_DST, state_->output.get()},
        dnnl_exec_arg_t{DNNL_ARG_SCRATCHPAD, state_->scratch.get()},
    };
    const dnnl_status_t status = dnnl_primitive_execute(state_->primitive.get(), state_->stream.get(),
                                                        static_cast<int>(arguments.size()), arguments.data());
    if (status != dnnl_success) {
        throw std::runtime_error("oneDNN could not run " + state_->implementation + ": status " +
                                 std::to_string(status));
    }
    state_->stream.wait();
}

std::size_t ConvOneDnn::scratch_bytes() const {
    return state_->description.scratchpad_desc().get_size();
}
std::size_t ConvOneDnn::packed_bytes() const {
    return state_->packed.size();
}
const std::string& ConvOneDnn::implementation() const {
    return state_->implementation;
}

std::string onednn_version() {
    const dnnl_version_t* version = dnnl_version();
    return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
           std::to_string(version->patch);
}

}  // namespace vgg19::kernels
