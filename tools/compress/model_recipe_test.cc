#include "tools/compress/model_recipe.h"

#include <doctest/doctest.h>

#include "engine/testing/error_of.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

TEST_CASE("A recipe is read as it is written") {
    const std::string text = "prune --target-macs 0.5 --round-to 16 | finetune | quantize --scope all";
    const ModelRecipe recipe = parse_recipe(text);
    REQUIRE(recipe.size() == 3);
    CHECK(recipe[0].command == "prune");
    CHECK(recipe[0].options == std::vector<std::string>{"--target-macs", "0.5", "--round-to", "16"});
    CHECK(recipe[1].options.empty());
    CHECK(recipe[2].has("all"));
    CHECK_FALSE(recipe[2].has("dense"));
    CHECK(recipe_text(recipe) == text);
    CHECK(recipe_text(parse_recipe("  prune  --ratio 0.1|quantize ")) == "prune --ratio 0.1 | quantize");
}

TEST_CASE("A recipe has stages that make a model of a model") {
    for (const char* text :
         {"", "prune |", "| prune", "prune || quantize", "eval", "prune | serve --port 0"}) {
        CAPTURE(text);
        CHECK(error_of(ErrorKind::usage, [text] { parse_recipe(text); }) ==
              Containing("--recipe: expected stages of prune, factorize, finetune, quantize, convert"));
    }
}
