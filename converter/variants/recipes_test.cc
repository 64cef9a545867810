#include "converter/variants/recipes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace vgg19::converter {

TEST_CASE("Sources stand before what is derived from them, and only the baseline has none") {
    const std::vector<Recipe>& recipes = all_recipes();
    CHECK(&baseline_recipe() == &recipes.front());
    for (const Recipe& recipe : recipes) {
        CAPTURE(recipe.id);
        CHECK(find_recipe(recipe.id) == &recipe);
        const Recipe* const source = source_of(recipe);
        CHECK((source == nullptr) == (recipe.derivation == Derivation::imported));
        CHECK((source == nullptr || source < &recipe));
        CHECK((recipe.input_size != 0) == (recipe.derivation == Derivation::other_size));
    }
    CHECK(find_recipe("int9") == nullptr);
    CHECK(find_recipe("") == nullptr);
}

TEST_CASE("What a recipe is made by is told by its chain") {
    const auto is_pruned = [](const char* id) { return is_derived_by(*find_recipe(id), Derivation::pruned); };
    CHECK(is_pruned("pruned"));
    CHECK(is_pruned("pruned-factored-int8-full"));
    CHECK(!is_pruned("int8-full"));
    CHECK(!is_pruned("baseline"));
    CHECK(std::string(file_recipe(*find_recipe("res160")).id) == "baseline");
    CHECK(std::string(file_recipe(*find_recipe("int8")).id) == "int8");
}

TEST_CASE("Factored variants need ranks, the others nothing") {
    CHECK(recipe_ids(recipes_without_ranks()) ==
          "baseline, pruned, int8, pruned-int8, res160, int8-full, pruned-int8-full");
    CHECK(recipe_ids(all_recipes()) ==
          "baseline, pruned, int8, pruned-int8, res160, int8-full, pruned-int8-full, pruned-factored, "
          "pruned-factored-int8-full");
}

}  // namespace vgg19::converter
