// Runs a whole INT8 Winograd convolution with a schedule.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/schedule/winograd_schedule.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

/// A kernel's name with the tile's: "winograd_int8_avx512vnni" becomes "winograd_int8_f4x4_avx512vnni".
std::string winograd_int8_kernel_name(const Kernel<const WinogradInt8Steps>& kernel, WinogradInt8Tile tile);

/// The fastest schedule, by the cost model of a machine, for a kernel with vectors of `lanes` 32-bit
/// integers.
WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, const Machine& machine,
                                        std::size_t lanes, int threads);

/// A schedule's work, for the cost model.
std::vector<Phase> winograd_int8_phases(const WinogradInt8& problem, const WinogradSchedule& schedule,
                                        const Machine& machine, std::size_t lanes);

/// The number of bytes of scratch memory for winograd_int8_convolution.
std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule);

/// Runs the whole convolution. `scratch` is aligned to 64 bytes. The result is bit-identical for all
/// schedules.
void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch);

}  // namespace vgg19::kernels
