// Runs a whole dense layer with a schedule.
#pragma once

#include <cstddef>

#include "kernels/dense/dense.h"
#include "kernels/isa/isa.h"
#include "kernels/schedule/machine.h"

namespace vgg19::kernels {

/// How a layer is divided into tasks: ranges of neighbouring parts of the inputs × strips of outputs, dealt
/// out strip by strip. Output-major weights have one range.
struct DenseSchedule {
    std::size_t input_ranges = 1;
    std::size_t strips = 1;
    int threads = 1;

    std::size_t tasks() const { return input_ranges * strips; }
};

/// The division that gives every thread long runs of memory and equal work. `problem` needs only batch,
/// inputs and outputs.
DenseSchedule dense_schedule(DenseWeights weights, const Dense& problem, const Machine& machine, Isa isa,
                             int threads);

/// The work of a layer on `machine`, whose rates are those of `isa`, for kernels/schedule/machine.h. Rows of
/// input-major weights are assumed to be read as often as after a ReLU.
Phase dense_phase(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule,
                  const Machine& machine, Isa isa);

/// The number of bytes of scratch memory for run_dense.
std::size_t dense_scratch_bytes(DenseWeights weights, const Dense& problem, const DenseSchedule& schedule);

/// Runs the layer. Sets `parts` and `sums` of its copy of the problem; `input_rows` must be set for
/// input-major weights. `scratch` is aligned to 64 bytes. The result is bit-identical for all schedules.
/// Allocates nothing.
void run_dense(const DenseSteps& steps, DenseWeights weights, Dense problem, const DenseSchedule& schedule,
               std::byte* scratch);

}  // namespace vgg19::kernels
