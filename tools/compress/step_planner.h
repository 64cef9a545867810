// The command lines of the search's steps.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/compress/options.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// Names of the stages that a model's number is given to: "2", and "2.2" for the second with a command.
class StageNames {
  public:
    explicit StageNames(std::size_t number) : number_(number) {}
    std::string next(const std::string& command) {
        const int count = ++counts_[command];
        return std::to_string(number_) + (count == 1 ? "" : "." + std::to_string(count));
    }

  private:
    std::size_t number_;
    std::map<std::string, int> counts_;
};

/// Files are in DIR/work and DIR/eval, under such names.
class StepPlanner {
  public:
    /// Keeps a reference to the options.
    explicit StepPlanner(const CompressOptions& options) : options_(options) {}

    std::filesystem::path baseline() const { return options_.folder / "baseline.safetensors"; }
    Step convert() const;

    /// One stage of a recipe, with the images that it needs. `name` is unique among those with its command.
    Step stage(const Stage& stage, const std::filesystem::path& source, const std::string& name) const;

    /// Compares a model with the baseline, on the held-out images and on those of --test; `size` is that of
    /// the input, "" the baseline's.
    Step judge_on_held_out(const std::filesystem::path& model, const std::string& name,
                           const std::string& size) const;
    Step judge_on_test(const std::filesystem::path& model, const std::string& name,
                       const std::string& size) const;
    /// Times models of DIR.
    Step time(const std::vector<std::string>& ids, const std::vector<std::filesystem::path>& files) const;

    std::string input_size(const std::string& size) const {
        return size.empty() ? options_.sizes.front() : size;
    }

  private:
    using Words = std::vector<std::string>;

    void pass_label_options(Step& step) const;
    void pass_run_options(Words& words, const std::string& size) const;
    Step evaluate(const std::string& id, const std::filesystem::path& model, const std::string& size,
                  const std::filesystem::path& data) const;

    const CompressOptions& options_;
};

}  // namespace vgg19::tools
