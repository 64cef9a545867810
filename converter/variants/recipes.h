// The list of all variants, and how each is derived.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::converter {

/// How a variant is derived from its source.
enum class Derivation : unsigned char {
    imported,    ///< the weights as imported: the baseline
    other_size,  ///< the source's file, run at another input size
    pruned,      ///< filters removed
    int8_dense,  ///< dense layers in INT8
    int8_full,   ///< all layers except the first in INT8, calibrated on pictures
    factored,    ///< dense layers as products of two thin matrices, with chosen ranks
};

struct Recipe {
    const char* id = "";  ///< as the bench, the pipeline and the server call it, and its file
    Derivation derivation = Derivation::imported;  ///< from the source
    const char* source = "";  ///< the id of the variant that it is derived from; "" for the baseline
    MapSize input_size{};     ///< empty: the model's own
};

/// The baseline comes first; sources come before variants derived from them.
const std::vector<Recipe>& all_recipes();

/// Those that need no choice of ranks.
const std::vector<Recipe>& recipes_without_ranks();

/// nullptr if there is none.
const Recipe* find_recipe(std::string_view id);

const Recipe& baseline_recipe();

/// The recipe of its source; nullptr for the baseline.
const Recipe* source_of(const Recipe& recipe);

/// The recipe of the file that it runs: its own, or its source's at another size.
const Recipe& file_recipe(const Recipe& recipe);

/// Whether it, or one of its sources, is derived in this way.
bool is_derived_by(const Recipe& recipe, Derivation derivation);

/// "baseline, pruned, …"
std::string recipe_ids(const std::vector<Recipe>& recipes);

}  // namespace vgg19::converter
