// A whole INT8 Winograd convolution, by a schedule.
#pragma once

#include <cstddef>

#include "kernels/schedule/winograd_schedule.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

/// The division among threads and the blocks that suit this CPU's caches.
WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, int threads);

/// Bytes of memory that winograd_int8_convolution needs beside its operands.
std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule);

/// The whole convolution. `scratch` is aligned to 64 bytes. The result does not depend on the schedule, bit
/// for bit.
void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch);

}  // namespace vgg19::kernels
