#include "kernels/isa/kernel_list.h"
#include "kernels/simd/testing/operations.h"

namespace vgg19::kernels {

#define VGG19_KERNEL(isa)                            \
    namespace isa {                                  \
    extern const testing::SimdOperations operations; \
    }
VGG19_ALL_ISAS
#undef VGG19_KERNEL

namespace testing {

namespace {

constexpr const SimdOperations* all[] = {
#define VGG19_KERNEL(isa) &isa::operations,
    VGG19_ALL_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const SimdOperations* const> simd_operations() {
    return all;
}

}  // namespace testing
}  // namespace vgg19::kernels
