// The command lines of the search's steps.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/compress/options.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// Files are in DIR/work and DIR/eval, named after the model's number.
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

    void pass_image_options(Words& words) const;
    void pass_label_options(Step& step) const;
    void pass_run_options(Words& words, const std::string& size) const;
    Step evaluate(const std::string& id, const std::filesystem::path& model, const std::string& size,
                  const std::filesystem::path& data) const;

    const CompressOptions& options_;
};

}  // namespace vgg19::tools
