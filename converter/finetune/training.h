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
    /// `description` lacks the position. `kept` goes into every checkpoint as it is; its memory must outlive
    /// this.
    CheckpointKeeper(FinetuneFiles files, CheckpointDescription description,
                     std::span<const Parameter> kept = {});

    const std::filesystem::path& path() const { return files_.checkpoint; }
    /// After `steps`, by time or by steps.
    bool is_due(std::uint64_t steps) const;
    void write(const TrainingPosition& position, std::span<const Parameter> parameters,
               const Optimizer& optimizer);

  private:
    using Clock = std::chrono::steady_clock;

    FinetuneFiles files_;
    CheckpointDescription description_;
    std::span<const Parameter> kept_;
    Clock::time_point last_ = Clock::now();
};

/// Epochs of a run that go on with the same layers, optimiser and schedule.
struct Phase {
    std::uint64_t first_epoch = 0;
    std::uint64_t epochs = 0;
    TrainedLayers trained = TrainedLayers::all;
    Schedule schedule;
};

/// Those of a run in their order: one, or with a new head two.
std::vector<Phase> phases_of(const FinetuneOptions& options);

/// A network, an optimiser, and how far they are, in one phase of a run.
class Training {
  public:
    /// `options` have their input size and threads; at most all images are in a batch. `start` is where the
    /// phase before ended.
    Training(const model::ModelFile& model, EvaluationImages images, const FinetuneOptions& options,
             Phase phase, std::size_t micro_batch, const TrainingPosition& start);

    /// `kept` as in Checkpoint.
    void restore(const Checkpoint& checkpoint, std::span<const Parameter> kept);
    const TrainingPosition& position() const { return position_; }
    /// Of the whole run, but for its bytes.
    TrainingPlan plan() const;
    /// All steps of the phase that are left.
    void run(CheckpointKeeper keeper, const TrainingObserver& observer);
    std::span<const Parameter> parameters() const { return network_.parameters(); }

  private:
    using Clock = std::chrono::steady_clock;

    std::uint64_t steps_an_epoch() const;
    std::uint64_t epochs() const { return options_.epochs + (options_.head ? options_.head->epochs : 0); }
    std::uint64_t steps() const { return steps_an_epoch() * epochs(); }
    std::uint64_t first_step() const { return steps_an_epoch() * phase_.first_epoch; }
    std::uint64_t phase_steps() const { return steps_an_epoch() * phase_.epochs; }
    void run_epoch(CheckpointKeeper& keeper, const TrainingObserver& observer);
    /// The next batch, null after the last. An image that cannot be read leaves a checkpoint.
    const ImageBatch* next_batch(ImageReader& reader, CheckpointKeeper& keeper);
    TrainingStep step(const ImageBatch& batch);
    BatchResult accumulate(const ImageBatch& batch, std::uint64_t epoch);
    [[noreturn]] void stop(CheckpointKeeper& keeper);
    void keep(CheckpointKeeper& keeper);

    InputFormat format_;
    EvaluationImages images_;
    FinetuneOptions options_;
    Phase phase_;
    std::size_t micro_batch_;
    TrainingNetwork network_;
    Optimizer optimizer_;
    TrainingPosition position_;
    double seconds_before_ = 0;
    Clock::time_point start_;
};

}  // namespace vgg19::converter
