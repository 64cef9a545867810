#include "tools/compress/model_recipe.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "engine/model/foreign_text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::array<std::string_view, 5> commands = {"prune", "factorize", "finetune", "quantize",
                                                      "convert"};

std::string known_commands() {
    std::string text;
    for (const std::string_view command : commands) {
        text.append(text.empty() ? "" : ", ").append(command);
    }
    return text;
}

Stage parse_stage(const std::string& text) {
    std::istringstream words(text);
    Stage stage;
    words >> stage.command;
    for (std::string word; words >> word;) stage.options.push_back(word);
    if (!makes_models(stage.command)) {
        throw Error(ErrorKind::usage, "--recipe: expected stages of " + known_commands() +
                                          ", separated by |, found " + model::in_quotes(stage.command));
    }
    return stage;
}

}  // namespace

bool makes_models(std::string_view command) {
    return std::find(commands.begin(), commands.end(), command) != commands.end();
}

bool Stage::has(std::string_view option) const {
    return std::find(options.begin(), options.end(), option) != options.end();
}

std::string recipe_text(const ModelRecipe& recipe) {
    std::string text;
    for (const Stage& stage : recipe) {
        text.append(text.empty() ? "" : " | ").append(stage.command);
        for (const std::string& option : stage.options) text.append(" ").append(option);
    }
    return text;
}

ModelRecipe parse_recipe(std::string_view text) {
    ModelRecipe recipe;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('|', begin), text.size());
        recipe.push_back(parse_stage(std::string(text.substr(begin, end - begin))));
        begin = end + 1;
    }
    return recipe;
}

}  // namespace vgg19::tools
