// What a step of a program does, and on what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/layers/execution.h"
#include "vgg19/map_size.h"
#include "vgg19/session.h"

namespace vgg19 {

/// What a step reads or writes, for each image of a batch: a map, or the vector of a dense layer (1 × 1).
struct Activation {
    enum class Format : unsigned char {
        plain,         ///< floats, [channels][height][width]
        blocked,       ///< floats in the blocked layout of the plan's ISA (kernels/common/blocked_layout.h)
        blocked_int8,  ///< unsigned 8 bits in blocks of int8_channel_block
    };
    Format format = Format::plain;
    std::size_t channels = 0;
    MapSize size{};

    std::size_t values() const { return channels * size.pixels(); }
    /// Of the whole batch, with the padding of the format.
    std::size_t bytes(const layers::Execution& execution) const;
};

/// One step of a plan. Steps run one after the other: each reads what the one before it writes.
struct Step {
    StepKind kind{};
    Arithmetic arithmetic = Arithmetic::fp32;
    /// The layer that it belongs to, counted through the network's convolutions and then its dense layers.
    /// The average pool belongs to the last convolution.
    std::size_t layer = 0;
    std::string layer_name;
    Activation input;
    Activation output;
    std::uint64_t macs = 0;  ///< of one image

    /// As reports have it: "features.2 and pool", "pool after features.2", "average pool", "classifier.0".
    std::string text() const;
};

}  // namespace vgg19
