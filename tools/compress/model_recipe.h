// How a model is made from the baseline: subcommands with their options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vgg19::tools {

/// One subcommand and its options, without the files, the images and the size, which are the same for all.
struct Stage {
    std::string command;
    std::vector<std::string> options;

    bool has(std::string_view option) const;
    bool operator==(const Stage&) const = default;
};

/// In the order in which they run, each on the result of the one before.
using ModelRecipe = std::vector<Stage>;

/// "prune --target-macs 0.5 | finetune --epochs 2 | quantize --scope all".
std::string recipe_text(const ModelRecipe& recipe);

/// Whether it is a command that makes a model of a model.
bool makes_models(std::string_view command);

/// Reads such a text. Throws Error (usage) for a command that makes no model of a model, and for a stage
/// without one.
ModelRecipe parse_recipe(std::string_view text);

}  // namespace vgg19::tools
