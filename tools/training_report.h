// Shows training progress, and writes its log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "converter/finetune/finetune.h"
#include "tools/progress_bar.h"

namespace vgg19::tools {

/// A CSV file with one line per step: step, epoch, images (shown so far), loss and accuracy (of this step's
/// images), learning_rate, seconds.
class TrainingLog {
  public:
    /// Starts a new file or, if `done` steps were done before, continues the old one after them: later lines,
    /// which belong to work lost in an interruption, are removed. Throws Error (failed), and (usage) if the
    /// file to continue is not such a log.
    TrainingLog(std::filesystem::path path, std::uint64_t done);

    void add(const converter::TrainingStep& step);

  private:
    void write(const std::string& line);

    std::filesystem::path path_;
    std::ofstream file_;
};

/// Shows training on standard error: the plan, a progress bar (or, without a terminal, a line from time to
/// time), and a line per epoch.
class TrainingReport {
  public:
    /// `log` is "" for no log.
    explicit TrainingReport(std::filesystem::path log) : log_path_(std::move(log)) {}

    /// Valid during this object's lifetime.
    converter::TrainingObserver observer();
    /// None if all steps had been done before.
    const std::optional<converter::TrainingStep>& last_step() const { return last_; }

  private:
    void start(const converter::TrainingPlan& plan);
    void add(const converter::TrainingStep& step);

    std::filesystem::path log_path_;
    converter::TrainingPlan plan_;
    std::optional<TrainingLog> log_;
    std::optional<ProgressBar> bar_;
    std::optional<ProgressBar> trying_;
    std::optional<ProgressBar> judging_;
    std::optional<ProgressBar> writing_;
    std::optional<converter::TrainingStep> last_;
};

/// "313 steps of 32 images (2 parts of at most 16 each), 2 threads, 4,210.5 MB; 120 steps are done".
std::string plan_text(const converter::TrainingPlan& plan);
/// "learning rates, and the loss on held-out images after a short run: 0.0001: 0.3102, 3e-05: 0.2951".
std::string rates_text(const std::vector<converter::TriedRate>& tried);
/// "loss 0.4512  accuracy 86.1 %".
std::string loss_text(double loss, double accuracy);

}  // namespace vgg19::tools
