// A family's kernels, one per ISA, and how to choose one.
#pragma once

#include <span>

#include "isa_lists.h"
#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// `Function` is a function type, or a (const) structure of functions that belong together.
template <class Function>
struct Kernel {
    const char* name;  ///< the family's and the ISA's: "softmax_avx512"
    Isa isa;
    Function* run;
};

/// A family's kernels, fastest first.
template <class Function>
using KernelList = std::span<const Kernel<Function>>;

/// The fastest kernel that can run on `isa`. It always exists, because every list ends with a portable
/// kernel.
template <class Function>
const Kernel<Function>& select(KernelList<Function> fastest_first, Isa isa) {
    for (const Kernel<Function>& kernel : fastest_first) {
        if (runs(isa, kernel.isa)) return kernel;
    }
    return fastest_first.back();
}

}  // namespace vgg19::kernels

// VGG19_KERNELS(isas, Function, family) declares `family`, a function or structure of type Function, in the
// namespace of each ISA, and defines FAMILY_kernels(), which lists them, fastest first. `isas` are those that
// the family's kernel.cc is compiled for (kernels/CMakeLists.txt): VGG19_FLOAT_ISAS, or where it multiplies
// bytes VGG19_DOT_PRODUCT_ISAS.
// clang-format off
#define VGG19_KERNELS(isas, Function, family)                              \
    isas(VGG19_DECLARE_KERNEL, Function, family)                           \
    inline KernelList<Function> family##_kernels() {                       \
        static constexpr Kernel<Function> fastest_first[] = {              \
            isas(VGG19_KERNEL_ENTRY, Function, family)};                   \
        return fastest_first;                                              \
    }
// clang-format on
#define VGG19_DECLARE_KERNEL(isa, Function, family) \
    namespace isa {                                 \
    extern Function family;                         \
    }
#define VGG19_KERNEL_ENTRY(isa, Function, family) {#family "_" #isa, Isa::isa, &isa::family},
