#include "kernels/max_pool/max_pool.h"

#include "kernels/max_pool/pool_rows.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<MaxPoolFunction> kernels[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/max_pool/kernels.inc"
#undef VGG19_KERNEL
};

/// The second where neither is greater: what the vector instructions do.
float maximum(float a, float b) {
    return a > b ? a : b;
}

struct ScalarLanes {
    static constexpr std::size_t count = 8;
    static void store_maximum(const float* a, const float* b, const float* c, const float* d, float* output) {
        for (std::size_t i = 0; i < count; ++i) {
            output[i] = maximum(maximum(a[i], b[i]), maximum(c[i], d[i]));
        }
    }
};

}  // namespace

std::span<const Kernel<MaxPoolFunction>> max_pool_kernels() {
    return kernels;
}

void max_pool_scalar(const MaxPool& problem, std::size_t begin, std::size_t end) {
    pool_rows<ScalarLanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
