// A family's kernels, one per ISA, and how to choose one.
#pragma once

#include <span>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// `Function` is a function type, or a (const) structure of functions that belong together.
template <class Function>
struct Kernel {
    const char* name;  ///< the family's and the ISA's: "softmax_avx512"
    Isa isa;
    Function* run;
};

/// The fastest kernel that can run on `isa`. It always exists, because every list ends with a portable
/// kernel.
template <class Function>
const Kernel<Function>& select(std::span<const Kernel<Function>> fastest_first, Isa isa) {
    for (const Kernel<Function>& kernel : fastest_first) {
        if (runs(isa, kernel.isa)) return kernel;
    }
    return fastest_first.back();
}

}  // namespace vgg19::kernels

// The ISAs for which a family's kernel.cc is compiled, fastest first, each as VGG19_KERNEL(isa): those of
// most families, those of families with dot products of bytes, and all. Must match cmake/isa.cmake.
#if defined(__x86_64__)
#define VGG19_FLOAT_ISAS VGG19_KERNEL(avx512) VGG19_KERNEL(avx2) VGG19_KERNEL(portable)
#define VGG19_DOT_PRODUCT_ISAS \
    VGG19_KERNEL(avx512vnni) VGG19_KERNEL(avx2vnni) VGG19_KERNEL(avx2) VGG19_KERNEL(portable)
#define VGG19_ALL_ISAS VGG19_KERNEL(avx512) VGG19_DOT_PRODUCT_ISAS
#elif defined(__aarch64__)
#define VGG19_FLOAT_ISAS VGG19_KERNEL(neon) VGG19_KERNEL(portable)
#define VGG19_DOT_PRODUCT_ISAS VGG19_KERNEL(neon_dotprod) VGG19_KERNEL(neon) VGG19_KERNEL(portable)
#define VGG19_ALL_ISAS VGG19_DOT_PRODUCT_ISAS
#else
#define VGG19_FLOAT_ISAS VGG19_KERNEL(portable)
#define VGG19_DOT_PRODUCT_ISAS VGG19_KERNEL(portable)
#define VGG19_ALL_ISAS VGG19_KERNEL(portable)
#endif
