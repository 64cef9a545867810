// The options of vgg19 compress.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/command_line/command_line.h"
#include "tools/compress/model_recipe.h"
#include "tools/pipeline/step_words.h"
#include "vgg19/map_size.h"

namespace vgg19::tools {

/// What the result shall keep.
struct Promise {
    double max_drop = 0.01;  ///< share of the images, of which more may be lost in 5 of 100 cases at most
    std::optional<double> max_ms;
    std::optional<double> max_mb;
};

/// Texts are checked words of the command line, passed on to the steps; "" means the steps' own default.
struct CompressOptions {
    std::filesystem::path weights;
    std::filesystem::path data;
    std::filesystem::path test;
    std::filesystem::path folder;
    Promise promise;
    std::vector<std::string>
        sizes;               ///< of the input: the baseline's, then smaller ones; "" is the model's own
    std::string bench_size;  ///< "": as each model's input
    DataOptions reading;
    std::size_t hold_out = 10;  ///< every so many-th image of `data` is held out
    std::string epochs;         ///< of each training
    std::string seed;
    std::string threads;
    std::string test_images;
    std::string min_time;
    double budget_seconds = 0;
    std::optional<std::size_t> most_models;
    std::optional<ModelRecipe> recipe;  ///< instead of a search
};

CommandLine compress_command_line();
/// Throws Error (usage) that names the option.
CompressOptions compress_options(const CommandLine& line);

}  // namespace vgg19::tools
