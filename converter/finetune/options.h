// The options of a training run, and their description for others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/finetune/objective.h"
#include "converter/finetune/optimizer.h"
#include "converter/finetune/schedule.h"
#include "converter/finetune/training_network.h"
#include "engine/model/json.h"
#include "vgg19/model.h"

namespace vgg19::converter {

/// A new last dense layer, for classes other than the model's.
struct NewHead {
    std::size_t classes = 0;
    std::vector<std::string> names;  ///< of the classes, in order; may be empty
    /// Initial epochs that train only the new layer, because its first gradients would be noise for the
    /// others.
    std::size_t epochs = 1;
    std::optional<double> learning_rate;  ///< during those epochs; unset means ten times the schedule's
};

/// Training that imitates a teacher: a finished model with the same classes, such as the one before pruning.
struct Distillation {
    Model teacher;
    double temperature = 2;
    double label_weight =
        0.5;  ///< of the cross-entropy with labels, where images have some; the teacher's is 1
    double feature_weight = 1;  ///< of the features at the max-pools (feature_match.h)
};

/// Everything that the trained weights depend on.
struct FinetuneOptions {
    MapSize input_size{};  ///< empty: the model's own
    std::size_t epochs = 1;
    std::size_t batch = 32;  ///< images per step
    Schedule schedule;
    /// The schedule's rate is found by short runs, judged on held-out images. Not with a new head.
    bool finds_rate = false;
    OptimizerOptions optimizer;  ///< its number of threads is not used
    TrainedLayers trained = TrainedLayers::all;
    double dropout = 0.5;
    /// The final weights are keep · before + (1 − keep) · trained. Such an average knows what it learned from
    /// these images, and is better than the trained weights on images of other kinds (Wortsman et al.,
    /// "Robust fine-tuning of zero-shot models", 2022).
    double keep = 0;
    /// The share of a run's last steps over which the weights are averaged; 0: none. Before `keep`.
    double average = 0;
    bool augmentation = true;
    std::optional<Distillation> distillation;
    std::optional<NewHead> head;
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0 means the checkpoint's number, else as many as this process has CPUs
    /// Memory for training in bytes; 0 means 80 % of what is available. If a step's images do not fit at
    /// once, they are processed in parts whose gradients are added.
    std::uint64_t memory_bytes = 0;
};

/// Names on the command line. The second function of each pair throws Error (usage) for an unknown name.
std::string_view name_of(OptimizerKind kind);
std::string_view name_of(ScheduleKind kind);
std::string_view name_of(TrainedLayers layers);
OptimizerKind optimizer_named(std::string_view name);
ScheduleKind schedule_named(std::string_view name);
TrainedLayers trained_layers_named(std::string_view name);

/// The learning rate while only the new head is trained. `options` must have a new head.
double head_learning_rate(const FinetuneOptions& options);

/// What training makes small with these options.
Objective objective_of(const FinetuneOptions& options);

/// Throws Error (usage) for invalid options.
void check_options(const FinetuneOptions& options);

/// The relevant options under their command-line names, such as {"epochs", 1}; a flag is true or false.
model::Json::Object options_json(const FinetuneOptions& options);

/// "finetune --data cifar-10 --epochs 1 --lr 0.0001 …", for a model's lineage.
std::string command_text(const std::string& name, const model::Json::Object& options);

}  // namespace vgg19::converter
