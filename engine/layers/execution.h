// What all layers of a session have in common.
#pragma once

#include <cstddef>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/isa.h"

namespace vgg19::layers {

struct Execution {
    kernels::Isa isa = kernels::Isa::scalar;
    int threads = 1;
    std::size_t batch = 1;

    std::size_t channel_block() const { return kernels::channel_block(isa); }
};

}  // namespace vgg19::layers
