// How a Winograd convolution is dealt out to threads and caches, and the whole of it by such a schedule.
#pragma once

#include <cstddef>

#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// What the threads of a convolution share out.
enum class WinogradSplit : unsigned char {
    tiles,     ///< each has blocks of tiles of its own and reads all weights: for large maps
    channels,  ///< all have the same block of tiles, each some groups of output channels: for small maps
};

struct WinogradSchedule {
    WinogradSplit split = WinogradSplit::tiles;
    std::size_t blocks = 1;  ///< of tiles, as equal as can be
    int threads = 1;

    /// Of a problem of either family: this one, and kernels/winograd_int8.
    template <class Problem>
    std::size_t largest_block(const Problem& problem) const {
        return (problem.tiles() + blocks - 1) / blocks;
    }
};

/// The split and the blocks that this CPU's caches ask for.
WinogradSchedule winograd_schedule(const Winograd& problem, int threads);

/// Floats of memory that winograd_convolution needs beside its operands.
std::size_t winograd_scratch_size(const Winograd& problem, const WinogradSchedule& schedule);

/// The whole convolution. `scratch` is aligned to 64 bytes. The result does not depend on the schedule, bit
/// for bit.
void winograd_convolution(const WinogradSteps& steps, const Winograd& problem,
                          const WinogradSchedule& schedule, float* scratch);

/// Packs all filters, from [output_channels][input_channels][3][3], into problem.packed_size() floats.
void winograd_pack(const WinogradSteps& steps, const Winograd& problem, int threads, const float* weights,
                   float* packed);

}  // namespace vgg19::kernels
