// What a training run is told, and how others are told what it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/finetune/optimizer.h"
#include "converter/finetune/schedule.h"
#include "converter/finetune/training_network.h"
#include "engine/model/json.h"

namespace vgg19::converter {

/// A new last dense layer, for other classes than the model has.
struct NewHead {
    std::size_t classes = 0;
    std::vector<std::string> names;  ///< of the classes, in their order; or none
    /// First, in which the new layer alone learns: what it would tell the others before is noise.
    std::size_t epochs = 1;
    std::optional<double> learning_rate;  ///< in those; none: ten times the schedule's
};

/// What the trained weights depend on.
struct FinetuneOptions {
    MapSize input_size{};  ///< empty: the model's own
    std::size_t epochs = 1;
    std::size_t batch = 32;  ///< images a step
    Schedule schedule;
    OptimizerOptions optimizer;  ///< but for its threads
    TrainedLayers trained = TrainedLayers::all;
    double dropout = 0.5;
    /// The result's weights are keep · before + (1 − keep) · trained. A model between the two knows what it
    /// learned from these images, and more than the trained one of what they do not show (Wortsman et al.,
    /// "Robust fine-tuning of zero-shot models", 2022).
    double keep = 0;
    bool augmentation = true;
    std::optional<NewHead> head;
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0: the checkpoint's, else as many as the CPUs that this process may use
    /// Bytes that training may take; 0: 80 % of what is available. Images of a step that do not fit all at
    /// once go through the network in parts, whose gradients add up.
    std::uint64_t memory_bytes = 0;
};

/// Names as the command line has them. The second of each pair throws Error (usage) for another text.
std::string_view name_of(OptimizerKind kind);
std::string_view name_of(ScheduleKind kind);
std::string_view name_of(TrainedLayers layers);
OptimizerKind optimizer_named(std::string_view name);
ScheduleKind schedule_named(std::string_view name);
TrainedLayers trained_layers_named(std::string_view name);

/// That of the epochs in which the new head learns alone. `options` have one.
double head_learning_rate(const FinetuneOptions& options);

/// Throws Error (usage) for options that cannot be.
void check_options(const FinetuneOptions& options);

/// The options that matter, by the names that the command line has for them, such as {"epochs", 1}; a flag is
/// true or false.
model::Json::Object options_json(const FinetuneOptions& options);

/// "finetune --data cifar-10 --epochs 1 --lr 0.0001 …", for a model's lineage.
std::string command_text(const std::string& name, const model::Json::Object& options);

}  // namespace vgg19::converter
