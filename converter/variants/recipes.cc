#include "converter/variants/recipes.h"

#include <algorithm>
#include <iterator>

namespace vgg19::converter {

const std::vector<Recipe>& all_recipes() {
    static const std::vector<Recipe> list = {
        {.id = "baseline", .derivation = Derivation::imported, .source = ""},
        {.id = "pruned", .derivation = Derivation::pruned, .source = "baseline"},
        {.id = "int8", .derivation = Derivation::int8_dense, .source = "baseline"},
        {.id = "pruned-int8", .derivation = Derivation::int8_dense, .source = "pruned"},
        {.id = "res160", .derivation = Derivation::other_size, .source = "baseline", .input_size = 160},
        {.id = "int8-full", .derivation = Derivation::int8_full, .source = "baseline"},
        {.id = "pruned-int8-full", .derivation = Derivation::int8_full, .source = "pruned"},
        {.id = "pruned-factored", .derivation = Derivation::factored, .source = "pruned"},
        {.id = "pruned-factored-int8-full", .derivation = Derivation::int8_full, .source = "pruned-factored"},
    };
    return list;
}

const std::vector<Recipe>& recipes_without_ranks() {
    static const std::vector<Recipe> list = [] {
        std::vector<Recipe> chosen;
        std::copy_if(all_recipes().begin(), all_recipes().end(), std::back_inserter(chosen),
                     [](const Recipe& recipe) { return !is_derived_by(recipe, Derivation::factored); });
        return chosen;
    }();
    return list;
}

const Recipe* find_recipe(std::string_view id) {
    const auto found = std::find_if(all_recipes().begin(), all_recipes().end(),
                                    [&](const Recipe& recipe) { return recipe.id == id; });
    return found == all_recipes().end() ? nullptr : &*found;
}

const Recipe& baseline_recipe() {
    return all_recipes().front();
}

const Recipe* source_of(const Recipe& recipe) {
    return find_recipe(recipe.source);
}

const Recipe& file_recipe(const Recipe& recipe) {
    return recipe.derivation == Derivation::other_size ? file_recipe(*source_of(recipe)) : recipe;
}

bool is_derived_by(const Recipe& recipe, Derivation derivation) {
    if (recipe.derivation == derivation) return true;
    const Recipe* const source = source_of(recipe);
    return source != nullptr && is_derived_by(*source, derivation);
}

std::string recipe_ids(const std::vector<Recipe>& recipes) {
    std::string ids;
    for (const Recipe& recipe : recipes) ids.append(ids.empty() ? "" : ", ").append(recipe.id);
    return ids;
}

}  // namespace vgg19::converter
