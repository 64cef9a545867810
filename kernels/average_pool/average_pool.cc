#include "kernels/average_pool/average_pool.h"

#include "kernels/average_pool/pool_blocks.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<AveragePoolFunction> kernels[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/average_pool/kernels.inc"
#undef VGG19_KERNEL
};

struct ScalarLanes {
    static constexpr std::size_t count = 8;
    float sums[count] = {};

    void add(const float* values) {
        for (std::size_t i = 0; i < count; ++i) sums[i] += values[i];
    }
    void divide(float divisor) {
        for (float& sum : sums) sum /= divisor;
    }
    void store(float* values) const {
        for (std::size_t i = 0; i < count; ++i) values[i] = sums[i];
    }
};

}  // namespace

std::span<const Kernel<AveragePoolFunction>> average_pool_kernels() {
    return kernels;
}

void average_pool_scalar(const AveragePool& problem, std::size_t begin, std::size_t end) {
    pool_blocks<ScalarLanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
