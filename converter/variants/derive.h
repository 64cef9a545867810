// A recipe carried out.
#pragma once

#include <filesystem>

#include "converter/factorize/factorize.h"
#include "converter/variants/recipes.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes the file of a variant, made from that of its source: pruned without a refit, calibrated on crops of
/// the bundled picture, factored as `ranks` says. Throws Error: (usage) for a recipe that has no file of its
/// own to make, and for ranks that factorize_model() refuses; (bad_input) as the surgeries do.
void derive(const Recipe& recipe, const model::ModelFile& source, const std::filesystem::path& output,
            const model::Progress& progress, const FactorizeOptions& ranks = {});

}  // namespace vgg19::converter
