// Replaces dense layers by the product of two thin matrices: fewer parameters, and fewer bytes to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

struct FactorizeOptions {
    std::vector<std::string> layers;  ///< such as "classifier.0"; empty means all but the last
    std::vector<std::size_t> ranks;  ///< a single one for all layers, or one per layer; empty means by energy
    double energy = 0;  ///< choose the smallest rank that keeps this share of Σ σ², above 0 and below 1
};

struct FactorizedLayer {
    std::string name;
    std::size_t rank = 0;       ///< 0: not factored, since the rank for the wanted energy saves no parameters
    double relative_error = 0;  ///< of the weights, in the Frobenius norm
    std::uint64_t parameters_before = 0;
    std::uint64_t parameters_after = 0;
};

/// Throws Error (usage) for a layer that does not exist, is already factored or is named twice, for a rank
/// that saves no parameters, and for options that contradict each other.
void check_factorize_options(const model::Network& network, const FactorizeOptions& options);

/// Writes the model with the chosen dense layers factored by truncated_svd() (low_rank.h), in the same order
/// of weights. The first factor's bias is zero; the second has the layer's bias. "factored" is added to the
/// variant, and the options to the lineage. `model` must have FP32 dense weights. Throws Error: (usage) as
/// check_factorize_options() does, and if no layer would become smaller; (bad_input) for a quantised model,
/// and for weights that are not finite.
std::vector<FactorizedLayer> factorize_model(const model::ModelFile& model, const FactorizeOptions& options,
                                             const std::filesystem::path& output,
                                             const model::Progress& layers_done = {});

}  // namespace vgg19::converter
