// A step of a program: its operation, input and output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/layers/execution.h"
#include "vgg19/map_size.h"
#include "vgg19/session.h"

namespace vgg19 {

/// A step's input or output, per image of a batch: a map, or the vector of a dense layer (1 × 1).
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
    /// The size for the whole batch, including the format's padding.
    std::size_t bytes(const layers::Execution& execution) const;
};

/// One step of a plan. Steps run in order; each reads the output of the last one that is not a tap.
struct Step {
    StepKind kind{};
    Arithmetic arithmetic = Arithmetic::fp32;
    /// The layer to which it belongs; convolutions are numbered first, then dense layers. The average pool
    /// belongs to the last convolution.
    std::size_t layer = 0;
    std::string layer_name;  ///< of a step that only writes an output, that output's
    Activation input;
    Activation output;
    std::uint64_t macs = 0;  ///< for one image
    /// The plan's output that it writes, straight to the caller's memory, from where the next step reads it.
    std::optional<std::size_t> result{};
    bool is_tap = false;    ///< it only writes an output: the next step reads what this one read
    bool in_place = false;  ///< it overwrites its input

    /// The text for reports: "features.2 and pool", "pool after features.2", "average pool", "classifier.0",
    /// "output relu5_1".
    std::string text() const;
};

}  // namespace vgg19
