// A model whose dense layers are products of two thin matrices: fewer parameters, and fewer bytes to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

struct FactorizeOptions {
    std::vector<std::string> layers;  ///< such as "classifier.0"; empty: all but the last
    std::vector<std::size_t> ranks;   ///< one for all of the layers, or one each; empty: by energy
    double energy = 0;                ///< the least rank that holds this share of Σ σ², above 0, below 1
};

struct FactorizedLayer {
    std::string name;
    std::size_t rank = 0;  ///< 0: stays whole, since the rank that the energy asks for saves no parameters
    double relative_error = 0;  ///< of the weights, in Frobenius' norm
    std::uint64_t parameters_before = 0;
    std::uint64_t parameters_after = 0;
};

/// Throws Error (usage) for a layer that the model does not have, that is factored already or named twice,
/// for a rank that saves no parameters, and for options that do not fit each other.
void check_factorize_options(const model::Network& network, const FactorizeOptions& options);

/// Writes the model with those dense layers factored by truncated_svd() (low_rank.h), in their order of
/// weights. The first factor's bias is zero, the second has the layer's own. "factored" joins the variant,
/// and the options join the lineage. `model` has FP32 dense weights. Throws Error: (usage) as
/// check_factorize_options() does, and when no layer would become smaller; (bad_input) for a quantised model,
/// and for weights that are not finite.
std::vector<FactorizedLayer> factorize_model(const model::ModelFile& model, const FactorizeOptions& options,
                                             const std::filesystem::path& output,
                                             const model::Progress& layers_done = {});

}  // namespace vgg19::converter
