// The steps of fine-tuning, and when to keep what they came to.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/evaluate/image_reader.h"
#include "converter/finetune/checkpoint.h"
#include "converter/finetune/finetune.h"
#include "converter/finetune/optimizer.h"
#include "converter/finetune/training_network.h"

namespace vgg19::converter {

/// Decides when there is to be a checkpoint.
class CheckpointKeeper {
  public:
    /// `description` lacks the position.
    CheckpointKeeper(FinetuneFiles files, CheckpointDescription description);

    const std::filesystem::path& path() const { return files_.checkpoint; }
    /// After `steps`, by time or by steps.
    bool is_due(std::uint64_t steps) const;
    void write(const TrainingPosition& position, std::span<const Parameter> parameters,
               const Optimizer& optimizer);

  private:
    using Clock = std::chrono::steady_clock;

    FinetuneFiles files_;
    CheckpointDescription description_;
    Clock::time_point last_ = Clock::now();
};

/// A network, an optimiser, and how far they are.
class Training {
  public:
    /// `options` have their input size and threads; at most all images are in a batch.
    Training(const model::ModelFile& model, EvaluationImages images, const FinetuneOptions& options,
             std::size_t micro_batch);

    void restore(const Checkpoint& checkpoint);
    /// But for its bytes.
    TrainingPlan plan() const;
    /// All steps that are left.
    void run(CheckpointKeeper keeper, const TrainingObserver& observer);
    std::span<const Parameter> parameters() const { return network_.parameters(); }

  private:
    using Clock = std::chrono::steady_clock;

    std::uint64_t steps_an_epoch() const;
    std::uint64_t steps() const { return steps_an_epoch() * options_.epochs; }
    void run_epoch(CheckpointKeeper& keeper, const TrainingObserver& observer);
    /// The next batch, null after the last. An image that cannot be read leaves a checkpoint.
    const ImageBatch* next_batch(ImageReader& reader, CheckpointKeeper& keeper);
    TrainingStep step(const ImageBatch& batch, std::span<const std::size_t> items);
    BatchResult accumulate(const ImageBatch& batch, std::span<const std::size_t> items, std::uint64_t epoch);
    [[noreturn]] void stop(CheckpointKeeper& keeper);
    void keep(CheckpointKeeper& keeper);

    InputFormat format_;
    EvaluationImages images_;
    FinetuneOptions options_;
    std::size_t micro_batch_;
    TrainingNetwork network_;
    Optimizer optimizer_;
    TrainingPosition position_;
    double seconds_before_ = 0;
    Clock::time_point start_;
};

}  // namespace vgg19::converter
