// Replaces the oneDNN wrapper in a build without oneDNN.
#include <stdexcept>

#include "kernels/onednn/conv_onednn.h"
#include "kernels/onednn/conv_weights_gradient.h"
#include "kernels/onednn/matrix_product.h"

namespace vgg19::kernels {

namespace {

[[noreturn]] void refuse() {
    throw std::runtime_error("this build is without oneDNN");
}

}  // namespace

struct ConvOneDnn::State {};

bool ConvOneDnn::supports(const ConvOneDnnShape& /*shape*/, Isa /*isa*/) {
    return false;
}

ConvOneDnn::ConvOneDnn(const ConvOneDnnShape& /*shape*/, Isa /*isa*/, int /*threads*/,
                       const float* /*weights*/, const float* /*bias*/) {
    refuse();
}
ConvOneDnn::ConvOneDnn(ConvOneDnn&&) noexcept = default;
ConvOneDnn& ConvOneDnn::operator=(ConvOneDnn&&) noexcept = default;
ConvOneDnn::~ConvOneDnn() = default;

void ConvOneDnn::run(const float* /*input*/, float* /*output*/, std::byte* /*scratch*/) const {
    refuse();
}
std::size_t ConvOneDnn::scratch_bytes() const {
    refuse();
}
std::size_t ConvOneDnn::packed_bytes() const {
    refuse();
}
const std::string& ConvOneDnn::implementation() const {
    refuse();
}

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

std::string onednn_version() {
    return "none";
}

}  // namespace vgg19::kernels
