// Settings that all layers of a session share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/isa.h"
#include "kernels/schedule/machine.h"

namespace vgg19::layers {

struct Execution {
    kernels::Isa isa = kernels::Isa::portable;
    int threads = 1;
    std::size_t batch = 1;
    /// What the cost model and schedules take the CPU for; null means kernels::this_machine(isa).
    std::shared_ptr<const kernels::Machine> machine{};
    /// For activations and scratch memory; null means the library's own.
    std::pmr::memory_resource* workspace = nullptr;

    const kernels::Machine& cpu() const { return machine ? *machine : kernels::this_machine(isa); }
    std::size_t channel_block() const { return kernels::channel_block(isa); }
};

/// Activation memory holds floats in some steps of a forward pass and 8-bit values in others.
inline const float* as_floats(const std::byte* activations) {
    return reinterpret_cast<const float*>(activations);
}
inline float* as_floats(std::byte* activations) {
    return reinterpret_cast<float*>(activations);
}
inline const std::uint8_t* as_int8(const std::byte* activations) {
    return reinterpret_cast<const std::uint8_t*>(activations);
}
inline std::uint8_t* as_int8(std::byte* activations) {
    return reinterpret_cast<std::uint8_t*>(activations);
}

}  // namespace vgg19::layers
