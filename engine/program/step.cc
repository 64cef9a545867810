#include "engine/program/step.h"

#include "kernels/common/blocked_layout.h"

namespace vgg19 {

std::size_t Activation::bytes(const layers::Execution& execution) const {
    switch (format) {
        case Format::plain:
            return execution.batch * values() * sizeof(float);
        case Format::blocked:
            return kernels::blocked_size(execution.batch, channels, size.height, size.width,
                                         execution.channel_block()) *
                   sizeof(float);
        case Format::blocked_int8:
            return kernels::blocked_size(execution.batch, channels, size.height, size.width,
                                         kernels::int8_channel_block) *
                   sizeof(std::uint8_t);
    }
    return 0;
}

std::string Step::text() const {
    switch (kind) {
        case StepKind::convolution:
            return layer_name + (output.size == input.size ? "" : " and pool");
        case StepKind::max_pool:
            return "pool after " + layer_name;
        case StepKind::quantization:
            return "quantisation after " + layer_name;
        case StepKind::average_pool:
            return "average pool";
        case StepKind::flatten:
            return "flatten";
        case StepKind::dense:
            return layer_name;
        case StepKind::output:
            return "output " + layer_name;
        case StepKind::relu:
            return "ReLU after " + layer_name;
        case StepKind::average_pool_2x2:
            return "average pool after " + layer_name;
        case StepKind::softmax:
            return "softmax";
    }
    return layer_name;
}

}  // namespace vgg19
