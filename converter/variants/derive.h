// Derives a variant's file according to its recipe.
#pragma once

#include <filesystem>

#include "converter/factorize/factorize.h"
#include "converter/variants/recipes.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes a variant's file, made from the file of its source: pruned without a refit, calibrated on crops of
/// the bundled picture, factored with `ranks`. Throws Error: (usage) for a recipe without its own file, and
/// for ranks that factorize_model() refuses; (bad_input) as the called functions do.
void derive(const Recipe& recipe, const model::ModelFile& source, const std::filesystem::path& output,
            const model::Progress& progress, const FactorizeOptions& ranks = {});

}  // namespace vgg19::converter
