// A file with everything that is needed to continue an interrupted training run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "converter/finetune/optimizer.h"
#include "converter/finetune/training_network.h"
#include "engine/model/json.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// The progress of training.
struct TrainingPosition {
    std::uint64_t steps = 0;  ///< completed, in all epochs
    double loss = 0;          ///< summed over the images of the current epoch
    std::uint64_t top1 = 0;   ///< the number of those images that were predicted correctly
    double seconds = 0;       ///< of training so far
};

/// What a run has chosen by itself, so that a resumed run must use the same: resources, which influence
/// rounding, and the learning rate.
struct TrainingResources {
    std::size_t micro_batch = 1;
    int threads = 1;
    double learning_rate = 0;  ///< found by short runs; 0 if it was given
};

/// A safetensors file of:
/// - trained parameters under their names;
/// - the state for them of the optimiser ("features.0.weight.exp_avg") and of the mean of the weights
///   ("features.0.weight.average");
/// - kept parameters, with which training began and which no other file holds ("classifier.6.weight.kept");
/// - metadata: a checksum per tensor, the settings, and the state (position and resources).
class Checkpoint {
  public:
    /// Throws Error (bad_input) for a file that is no checkpoint or has invalid metadata.
    static Checkpoint open(const std::filesystem::path& path) { return open(model::MappedFile(path)); }
    static Checkpoint open(model::MappedFile mapping);

    const model::Json::Object& settings() const { return settings_.object(); }
    const TrainingPosition& position() const { return position_; }
    const TrainingResources& resources() const { return resources_; }

    /// Throws Error (usage), which lists the differences, unless the checkpoint's run has these `settings`.
    void require_settings(const model::Json::Object& settings) const;

    /// Sets the trained parameters and the state for them. `kept` are the kept parameters that the checkpoint
    /// contains. Throws Error (bad_input), and sets nothing, if a tensor is missing, has another shape, is
    /// not finite, or does not match its checksum.
    void restore(std::span<const Parameter> parameters, std::span<const OptimizerState> state,
                 std::span<const Parameter> kept = {}) const;
    /// Sets only the kept parameters. Throws as restore() does.
    void restore_kept(std::span<const Parameter> kept) const;

  private:
    Checkpoint(model::SafetensorsFile file, model::Json settings, TrainingPosition position,
               TrainingResources resources)
        : file_(std::move(file)),
          settings_(std::move(settings)),
          position_(position),
          resources_(resources) {}

    model::SafetensorsFile file_;
    model::Json settings_;
    TrainingPosition position_;
    TrainingResources resources_;
};

/// The contents of a checkpoint besides its tensors.
struct CheckpointDescription {
    model::Json::Object settings;
    TrainingPosition position;
    TrainingResources resources;
};

/// Writes a checkpoint crash-safely: an older one stays until the new one is complete. Throws Error (failed),
/// also for a value that is not finite.
void write_checkpoint(const std::filesystem::path& path, const CheckpointDescription& description,
                      std::span<const Parameter> parameters, std::span<const OptimizerState> state,
                      std::span<const Parameter> kept = {});

}  // namespace vgg19::converter
