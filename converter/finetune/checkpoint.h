// Training that was interrupted, in one file: all that the rest of it depends on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "converter/finetune/optimizer.h"
#include "converter/finetune/training_network.h"
#include "engine/model/json.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// How far training is.
struct TrainingPosition {
    std::uint64_t steps = 0;  ///< done, of all epochs
    double loss = 0;          ///< the sum over the images of the last step's epoch
    std::uint64_t top1 = 0;   ///< of them, those that the network had right
    double seconds = 0;       ///< that training took so far
};

/// How its steps were computed: sums come out a little different in other ways.
struct TrainingResources {
    std::size_t micro_batch = 1;
    int threads = 1;
};

/// A checkpoint is a safetensors file of trained parameters under their names, of what the optimiser
/// remembers of them ("features.0.weight.exp_avg"), of kept parameters, which training began with and which
/// are in no other file ("classifier.6.weight.kept"), and of metadata: a checksum a tensor, the settings, and
/// the state (position and resources).
class Checkpoint {
  public:
    /// Throws Error (bad_input) for a file that is none, or whose metadata is not what it should be.
    static Checkpoint open(const std::filesystem::path& path);

    const model::Json::Object& settings() const { return settings_.object(); }
    const TrainingPosition& position() const { return position_; }
    const TrainingResources& resources() const { return resources_; }

    /// Throws Error (usage), which lists what differs, unless it is a checkpoint of a run with `settings`.
    void require_settings(const model::Json::Object& settings) const;

    /// Sets trained parameters and the optimiser. `kept` are those that the checkpoint has of them. Throws
    /// Error (bad_input), and sets nothing, for tensors that are missing, of another shape, not finite, or
    /// differ from their checksum.
    void restore(std::span<const Parameter> parameters, Optimizer& optimizer,
                 std::span<const Parameter> kept = {}) const;
    /// Sets the kept parameters alone. Throws as restore() does.
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

/// What a checkpoint holds besides tensors.
struct CheckpointDescription {
    model::Json::Object settings;
    TrainingPosition position;
    TrainingResources resources;
};

/// Writes one the crash-safe way: until it is all there, an older one stays. Throws Error (failed), also for
/// a value that is not finite.
void write_checkpoint(const std::filesystem::path& path, const CheckpointDescription& description,
                      std::span<const Parameter> parameters, const Optimizer& optimizer,
                      std::span<const Parameter> kept = {});

}  // namespace vgg19::converter
