#include "kernels/quantize_blocked/quantize_blocked.h"

#include "kernels/common/quantize.h"
#include "kernels/quantize_blocked/quantize_rows.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<QuantizeBlockedFunction> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/quantize_blocked/kernels.inc"
#undef VGG19_KERNEL
};

class ScalarLanes {
  public:
    explicit ScalarLanes(float inverse_scale) : inverse_scale_(inverse_scale) {}
    void store(const float* lower, const float* upper, std::uint8_t* output) const {
        for (std::size_t i = 0; i < 8; ++i) {
            output[i] = quantized(lower[i] * inverse_scale_);
            output[8 + i] = quantized(upper[i] * inverse_scale_);
        }
    }

  private:
    float inverse_scale_;
};

}  // namespace

std::span<const Kernel<QuantizeBlockedFunction>> quantize_blocked_kernels() {
    return fastest_first;
}

void quantize_blocked_scalar(const QuantizeBlocked& problem, std::size_t begin, std::size_t end) {
    quantize_rows<ScalarLanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
