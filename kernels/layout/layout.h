// Between the blocked layout of activations (kernels/common/blocked_layout.h) and the plain one of their
// users, [image][channel][row][column], for maps of any size:
//
//   plain[b][c][p] = scale · blocked[b][c / block][p][c % block]
//   blocked[b][c / block][p][c % block] = (adds ? itself : 0) + plain[b][c][p], or 0 where `positive` says so
//
// with the pixels p of a map counted through its rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// What both directions share. Work is divided into pieces of a channel block's map.
struct LayoutShape {
    std::size_t batch = 1;
    std::size_t channels = 0;
    std::size_t pixels = 0;  ///< height × width
    std::size_t block = 0;   ///< channels per block: a multiple of 8, or of 16 for the AVX-512 kernel

    static constexpr std::size_t piece_pixels = 1024;
    std::size_t pieces_of_map() const { return blocks_of(pixels, piece_pixels); }
    std::size_t pieces() const { return batch * blocks_of(channels, block) * pieces_of_map(); }
};

struct BlockedToPlain {
    LayoutShape shape;
    float scale = 1;
    /// Writes past the caches where that is possible: if `pixels` is a multiple of 16. Faster if the output
    /// is larger than the caches, or is read much later.
    bool past_caches = false;
    const float* blocked = nullptr;
    float* plain = nullptr;
};

struct PlainToBlocked {
    LayoutShape shape;
    bool adds = false;  ///< to what is in `blocked`; padding channels then stay
    const float* plain = nullptr;
    const std::uint8_t* positive = nullptr;  ///< null, or the bits of kernels/relu/relu.h, of `blocked`
    float* blocked = nullptr;                ///< padding channels become zero
};

/// Both convert pieces [begin, end) of shape.pieces().
struct LayoutKernels {
    void (*to_plain)(const BlockedToPlain& problem, std::size_t begin, std::size_t end);
    void (*to_blocked)(const PlainToBlocked& problem, std::size_t begin, std::size_t end);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const LayoutKernels, layout)

}  // namespace vgg19::kernels
