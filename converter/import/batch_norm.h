// A batch norm after a convolution is, at inference, a factor and an offset per output channel: both move
// into the convolution.
#pragma once

#include <span>
#include <vector>

#include "converter/import/names.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// What PyTorch adds to the variance before the root (BatchNorm2d's default; a state dict does not hold it).
inline constexpr double batch_norm_epsilon = 1e-5;

/// Writes, for a convolution with weight w (O,I,3,3), bias b (O) and a batch norm behind it,
///
///     s[o]       = batch_norm.weight[o] / sqrt(batch_norm.variance[o] + epsilon)
///     weight[o]  = w[o] · s[o]
///     bias[o]    = (b[o] − batch_norm.mean[o]) · s[o] + batch_norm.bias[o]
///
/// computed in double and rounded once (Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 2). Throws
/// Error (bad_input), with the name of the mapped file, for a variance that is negative or no number.
void fold_batch_norm(const LayerTensors& layer, const model::MappedFile& mapping, std::span<float> weight,
                     std::span<float> bias);

}  // namespace vgg19::converter
