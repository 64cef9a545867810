// How much memory there is.
#pragma once

#include <cstdint>

namespace vgg19::kernels {

/// Bytes that this process could still take without swapping: what the system has left, cut by the limits of
/// its control groups. 0 where nothing says.
std::uint64_t available_memory_bytes();

}  // namespace vgg19::kernels
