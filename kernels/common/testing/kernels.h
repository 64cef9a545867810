// For tests of all kernels of a family.
#pragma once

#include <doctest/doctest.h>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels::testing {

/// Calls body(kernel) for each kernel that this CPU supports.
template <class Kernels, class Body>
void for_each_usable_kernel(Kernels kernels, const Body& body) {
    for (const auto& kernel : kernels) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(kernel.name);
        body(kernel);
    }
}

}  // namespace vgg19::kernels::testing
