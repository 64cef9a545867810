// Training as people watch it, and as programs read it later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "converter/finetune/finetune.h"
#include "tools/progress_bar.h"

namespace vgg19::tools {

/// A line a step, comma-separated, under a line of names: step, epoch, images (shown so far), loss and
/// accuracy (of this step's images), learning_rate, seconds.
class TrainingLog {
  public:
    /// Starts a file anew; or, where `done` steps were done before, goes on behind them: lines of later
    /// steps, which an interruption lost, go. Throws Error (failed), and (usage) for a file to go on with
    /// that is no such log.
    TrainingLog(std::filesystem::path path, std::uint64_t done);

    void add(const converter::TrainingStep& step);

  private:
    void write(const std::string& line);

    std::filesystem::path path_;
    std::ofstream file_;
};

/// Shows training on standard error: what is about to run, a progress bar (or a line now and then where it is
/// no terminal), and a line an epoch.
class TrainingReport {
  public:
    /// `log` is "" where there is to be none.
    explicit TrainingReport(std::filesystem::path log) : log_path_(std::move(log)) {}

    /// Valid as long as this object.
    converter::TrainingObserver observer();
    /// The last; none where all was done before.
    const std::optional<converter::TrainingStep>& last_step() const { return last_; }

  private:
    void start(const converter::TrainingPlan& plan);
    void add(const converter::TrainingStep& step);

    std::filesystem::path log_path_;
    converter::TrainingPlan plan_;
    std::optional<TrainingLog> log_;
    std::optional<ProgressBar> bar_;
    std::optional<ProgressBar> writing_;
    std::optional<converter::TrainingStep> last_;
};

/// "313 steps of 32 images (2 parts of at most 16 each), 2 threads, 4,210.5 MB; 120 steps are done".
std::string plan_text(const converter::TrainingPlan& plan);
/// "loss 0.4512  accuracy 86.1 %".
std::string loss_text(double loss, double accuracy);

}  // namespace vgg19::tools
