// Replaces the oneDNN wrapper in a build without oneDNN.
#include "kernels/onednn/absent.h"

#include "kernels/onednn/conv_onednn.h"

namespace vgg19::kernels {

using onednn::refuse;

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

std::string onednn_version() {
    return "none";
}

}  // namespace vgg19::kernels
