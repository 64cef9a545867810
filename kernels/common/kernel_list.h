// What a family's kernels.inc becomes: a list of named functions, fastest first.
#pragma once

#include <span>

#include "kernels/common/isa.h"

namespace vgg19::kernels {

template <class Function>
struct Kernel {
    const char* name;  ///< the symbol, as a profiler shows it
    Isa isa;
    Function* run;
};

/// The fastest kernel that needs no more than `isa`. Every list ends with a scalar kernel, so there is one.
template <class Function>
const Kernel<Function>& select(std::span<const Kernel<Function>> fastest_first, Isa isa) {
    for (const Kernel<Function>& kernel : fastest_first) {
        if (kernel.isa <= isa) return kernel;
    }
    return fastest_first.back();
}

}  // namespace vgg19::kernels
