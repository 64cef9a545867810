// The memory that is available.
#pragma once

#include <cstdint>

namespace vgg19::kernels {

/// Bytes that this process could still take without swapping: what the system has left, or what the limits of
/// its control groups leave if that is less. 0 where the system does not tell.
std::uint64_t available_memory_bytes();

}  // namespace vgg19::kernels
