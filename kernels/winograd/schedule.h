// Runs a whole FP32 Winograd convolution with a schedule.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/schedule/winograd_schedule.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// The fastest schedule, by the cost model of a machine.
WinogradSchedule winograd_schedule(const Winograd& problem, const Machine& machine, int threads);

/// A schedule's work, for the cost model.
std::vector<Phase> winograd_phases(const Winograd& problem, const WinogradSchedule& schedule,
                                   const Machine& machine);

/// The number of floats of scratch memory for winograd_convolution.
std::size_t winograd_scratch_size(const Winograd& problem, const WinogradSchedule& schedule);

/// Runs the whole convolution. `scratch` is aligned to 64 bytes. The result is bit-identical for all
/// schedules.
void winograd_convolution(const WinogradSteps& steps, const Winograd& problem,
                          const WinogradSchedule& schedule, float* scratch);

/// Packs all filters from [output_channels][input_channels][3][3] into problem.packed_size() floats.
void winograd_pack(const WinogradSteps& steps, const Winograd& problem, int threads, const float* weights,
                   float* packed);

}  // namespace vgg19::kernels
