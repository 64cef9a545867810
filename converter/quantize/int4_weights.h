// Quantises dense weights to symmetric INT4, with an FP16 scale per input and group of outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Quantises one group: the `weights` of at most model::int4_group neighbouring outputs become q = round(w /
/// scale) in [−7, 7], halves to even, in the 16 bytes at `packed` (kernels/dense/dense.h); the rest of the
/// group is 0. The scale minimises the squared error among max|w| / 7 and some smaller values down to 0.7 of
/// it, since clipping the largest weights slightly makes the others more accurate. Returns the bits of the
/// FP16 scale; infinity or NaN if a weight is not finite or too large for FP16, and then nothing is
/// quantised.
std::uint16_t quantize_group(std::span<const float> weights, std::uint8_t* packed);

/// The bits of that scale alone.
std::uint16_t int4_scale(std::span<const float> weights);

/// Writes the levels, from −7 to 7, of at most model::int4_group outputs in that format; the rest of the
/// group is 0.
void pack_group(std::span<const std::int8_t> levels, std::uint8_t* packed);

/// The weights of one layer in the format of its tensors.
struct Int4Weights {
    std::unique_ptr<std::uint8_t[]> values;
    std::vector<std::uint16_t> scales;

    /// Both tensors are views into this object's memory.
    void append_tensors(const model::DenseLayer& layer, std::vector<model::Tensor>& tensors) const;
};

/// Accepts either order. Throws Error (bad_input) for weights that are not finite or too large.
Int4Weights quantize_int4(const model::DenseLayer& layer, const model::ModelFile& model);

}  // namespace vgg19::converter
