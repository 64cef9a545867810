// Makes the search's models by running this program's subcommands.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/compress/search.h"
#include "tools/compress/step_planner.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// Numbers of `vgg19 eval --json --reference`. Throws Error (bad_input) with the file's name.
converter::PairedCounts read_paired_counts(const std::filesystem::path& evaluation);

/// Thrown after the step that --until names.
struct SearchStopped {};

class StepWorkshop : public Workshop {
  public:
    /// Runs steps through `log`, which must outlive this, as the options. `test_images` is the number of
    /// images to judge the results with; with `until`, the step of this id is the last.
    StepWorkshop(const CompressOptions& options, StepLog& log, RunStep run_step, double test_images,
                 std::string until = "");

    void make(Trial& trial) override;
    double seconds() const override { return seconds_; }
    double closing_seconds(std::size_t models) const override;

    /// Runs a step, unless it was done before. Returns its output.
    std::filesystem::path run(Step step);
    /// The file of a trial that was made.
    std::filesystem::path file_of(const Trial& trial) const;
    const StepPlanner& planner() const { return planner_; }
    /// Those that were run, or done before.
    const std::vector<Step>& steps() const { return steps_; }

  private:
    const CompressOptions& options_;
    StepPlanner planner_;
    StepLog& log_;
    RunStep run_step_;
    double test_images_;
    std::string until_;
    std::map<std::string, std::filesystem::path> made_;  ///< by the recipe's text
    std::vector<Step> steps_;
    double seconds_ = 0;
    double judging_seconds_ = 0;  ///< of the last model on held-out images
    double held_out_images_ = 1;
};

}  // namespace vgg19::tools
