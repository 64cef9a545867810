// Folds batch norms into the convolution or dense layer before them: at inference they are one factor and one
// offset per output.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/names.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// PyTorch's default of the epsilon that is added to the variance.
inline constexpr double default_batch_norm_epsilon = 1e-5;

/// The epsilon of a VGG's batch norms: `wanted` unless it is 0, else the value stored in the file, else
/// PyTorch's default. Throws Error (bad_input), with `file` in the message, if
/// - the file has several values;
/// - `wanted` is 0 and a general setting in the file differs from the value that would be used;
/// - `wanted` differs from the epsilon of the modules.
double find_batch_norm_epsilon(const VggTensors& vgg, const std::vector<CheckpointFacts::Epsilon>& said,
                               double wanted, const std::string& file);

/// Folds the batch norm after a layer with weight w (O, …) and bias b (O):
///
///   s[o]       = batch_norm.weight[o] / sqrt(batch_norm.variance[o] + epsilon)
///   weight[o]  = w[o] · s[o]
///   bias[o]    = (b[o] − batch_norm.mean[o]) · s[o] + batch_norm.bias[o]
///
/// Computed in double and rounded once (Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 2). A
/// missing bias is 0, a missing batch_norm.weight 1. Throws Error (bad_input), with the name of the mapped
/// file, for a variance that is negative or NaN.
void fold_batch_norm(const LayerTensors& layer, double epsilon, const model::MappedFile& mapping,
                     std::span<float> weight, std::span<float> bias);

}  // namespace vgg19::converter
