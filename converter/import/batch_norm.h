// A batch norm after a convolution or dense layer is, at inference, a factor and an offset per output: both
// move into the layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/names.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// What PyTorch adds to the variance before the root, where nothing else is said.
inline constexpr double default_batch_norm_epsilon = 1e-5;

/// The epsilon of a VGG's batch norms: what `wanted` says (0: nothing), else what the file says of them, else
/// PyTorch's default. Throws Error (bad_input), with `file` in the message, where the file says several of
/// them; where it says one of its batch norms in general that is another, and `wanted` says nothing; and
/// where `wanted` is another than that of the modules.
double find_batch_norm_epsilon(const VggTensors& vgg, const std::vector<CheckpointFacts::Epsilon>& said,
                               double wanted, const std::string& file);

/// Writes, for a layer with weight w (O, …), bias b (O) and a batch norm behind it,
///
///     s[o]       = batch_norm.weight[o] / sqrt(batch_norm.variance[o] + epsilon)
///     weight[o]  = w[o] · s[o]
///     bias[o]    = (b[o] − batch_norm.mean[o]) · s[o] + batch_norm.bias[o]
///
/// computed in double and rounded once (Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 2). A
/// missing b or offset is 0, a missing batch_norm.weight 1. Throws
/// Error (bad_input), with the name of the mapped file, for a variance that is negative or no number.
void fold_batch_norm(const LayerTensors& layer, double epsilon, const model::MappedFile& mapping,
                     std::span<float> weight, std::span<float> bias);

}  // namespace vgg19::converter
