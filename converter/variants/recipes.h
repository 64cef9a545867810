// The one list of variants, and how each comes about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// How a variant comes from its source.
enum class Derivation : unsigned char {
    imported,    ///< the weights as they came: the baseline
    other_size,  ///< its source's file, run at another input size
    pruned,      ///< filters removed
    int8_dense,  ///< dense layers in INT8
    int8_full,   ///< every layer but the first in INT8, calibrated on pictures
    factored,    ///< dense layers as products of two thin matrices, of ranks that somebody chose
};

struct Recipe {
    const char* id = "";  ///< as the bench, the pipeline and the server call it, and its file
    Derivation derivation = Derivation::imported;  ///< from the source
    const char* source = "";     ///< the id of the variant that it is derived from; "" for the baseline
    std::size_t input_size = 0;  ///< 0: the model's own
};

/// The baseline first; sources before what is derived from them.
const std::vector<Recipe>& all_recipes();

/// Those that need no choice of ranks.
const std::vector<Recipe>& recipes_without_ranks();

/// nullptr where there is none.
const Recipe* find_recipe(std::string_view id);

const Recipe& baseline_recipe();

/// What a recipe is derived from; nullptr for the baseline.
const Recipe* source_of(const Recipe& recipe);

/// The recipe whose file it runs: its own, or its source's at another size.
const Recipe& file_recipe(const Recipe& recipe);

/// Whether it, or what it is derived from, is derived this way.
bool is_derived_by(const Recipe& recipe, Derivation derivation);

/// "baseline, pruned, …"
std::string recipe_ids(const std::vector<Recipe>& recipes);

}  // namespace vgg19::converter
