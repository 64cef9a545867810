// Replaces the oneDNN wrapper in a build without oneDNN.
#include "kernels/onednn/absent.h"

#include "kernels/onednn/training/conv_weights_gradient.h"
#include "kernels/onednn/training/matrix_product.h"

namespace vgg19::kernels {

using onednn::refuse;

struct ConvWeightsGradient::State {};

ConvWeightsGradient::ConvWeightsGradient(const ConvWeightsGradientShape& /*shape*/, int /*threads*/) {
    refuse();
}
ConvWeightsGradient::ConvWeightsGradient(ConvWeightsGradient&&) noexcept = default;
ConvWeightsGradient& ConvWeightsGradient::operator=(ConvWeightsGradient&&) noexcept = default;
ConvWeightsGradient::~ConvWeightsGradient() = default;

void ConvWeightsGradient::run(const float* /*input*/, const float* /*output_gradient*/,
                              float* /*weights_gradient*/, float* /*bias_gradient*/, std::byte* /*scratch*/) {
    refuse();
}
std::size_t ConvWeightsGradient::scratch_bytes() const {
    refuse();
}
const std::string& ConvWeightsGradient::implementation() const {
    refuse();
}

void matrix_product(const MatrixProduct& /*problem*/, int /*threads*/) {
    refuse();
}

}  // namespace vgg19::kernels
