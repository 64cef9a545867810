// Runs the training steps, and decides when to write checkpoints.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/evaluate/image_reader.h"
#include "converter/finetune/checkpoint.h"
#include "converter/finetune/finetune.h"
#include "converter/finetune/held_out_judge.h"
#include "converter/finetune/optimizer.h"
#include "converter/finetune/teacher.h"
#include "converter/finetune/training_network.h"
#include "converter/finetune/weight_average.h"

namespace vgg19::converter {

/// Decides when to write a checkpoint.
class CheckpointKeeper {
  public:
    /// Writes none.
    CheckpointKeeper() = default;
    /// `description` is without the position. `kept` is stored in every checkpoint; its memory must outlive
    /// this object.
    CheckpointKeeper(FinetuneFiles files, CheckpointDescription description,
                     std::span<const Parameter> kept = {});

    /// Empty if none is written.
    const std::filesystem::path& path() const { return files_.checkpoint; }
    /// Whether a checkpoint is due after `steps`, by time or by steps.
    bool is_due(std::uint64_t steps) const;
    void write(const TrainingPosition& position, std::span<const Parameter> parameters,
               std::span<const OptimizerState> state);

  private:
    using Clock = std::chrono::steady_clock;

    FinetuneFiles files_;
    CheckpointDescription description_;
    std::span<const Parameter> kept_;
    Clock::time_point last_ = Clock::now();
};

/// A series of epochs that train the same layers with one optimiser and schedule.
struct Phase {
    std::uint64_t first_epoch = 0;
    std::uint64_t epochs = 0;
    TrainedLayers trained = TrainedLayers::all;
    Schedule schedule;
};

/// The phases of a run in order: one, or two with a new head.
std::vector<Phase> phases_of(const FinetuneOptions& options);

/// What there is to imitate. Both may be null.
struct Lesson {
    Teacher* teacher = nullptr;
    const FeatureMatch* match = nullptr;  ///< of the teacher's pools, which are then outputs
};

/// Fits the maps from the model's pools to the teacher's on some of the images.
FeatureMatch match_features(const model::ModelFile& model, const EvaluationImages& images,
                            const FinetuneOptions& options, std::size_t micro_batch, Teacher& teacher);

/// A network, an optimiser, and their progress in one phase of a run.
class Training {
  public:
    /// `options` must have the input size and threads set; the batch is at most the number of images. `start`
    /// is where the previous phase ended. The lesson's objects must outlive this one.
    Training(const model::ModelFile& model, EvaluationImages images, const FinetuneOptions& options,
             Phase phase, std::size_t micro_batch, const TrainingPosition& start, const Lesson& lesson);

    /// `kept`: see Checkpoint.
    void restore(const Checkpoint& checkpoint, std::span<const Parameter> kept);
    const TrainingPosition& position() const { return position_; }
    /// For the whole run; its bytes are not set.
    TrainingPlan plan() const;
    /// How the network, with its parameters as they are, does on images that it is not trained on.
    HeldOutScore judge(HeldOutJudge& judge, const model::Progress& progress) {
        return judge.judge(network_, format_.preprocessing, progress);
    }
    /// Runs all remaining steps of the phase; the parameters are then the mean of its last steps', if one is
    /// asked for.
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
    /// The next batch, null after the last. If an image cannot be read, writes a checkpoint.
    const ImageBatch* next_batch(ImageReader& reader, CheckpointKeeper& keeper);
    TrainingStep step(const ImageBatch& batch);
    BatchResult accumulate(const ImageBatch& batch, std::uint64_t epoch);
    [[noreturn]] void stop(CheckpointKeeper& keeper);
    void keep(CheckpointKeeper& keeper);
    /// Beside the parameters, for a checkpoint of this position.
    std::vector<OptimizerState> state() const;

    InputFormat format_;
    EvaluationImages images_;
    FinetuneOptions options_;
    Phase phase_;
    std::size_t micro_batch_;
    TrainingNetwork network_;
    Optimizer optimizer_;
    WeightAverage average_;
    Teacher* teacher_;
    bool compares_pools_;
    TrainingPosition position_;
    double seconds_before_ = 0;
    Clock::time_point start_;
};

}  // namespace vgg19::converter
