// The memory that is available.
#pragma once

#include <cstdint>

namespace vgg19::kernels {

/// The bytes that this process can still allocate without swapping: the system's available memory, or less if
/// its control groups limit it. 0 if unknown.
std::uint64_t available_memory_bytes();

}  // namespace vgg19::kernels
