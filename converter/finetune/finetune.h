// Fine-tuning: trains a model's weights on labelled images; interrupted runs can be resumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "converter/evaluate/evaluate.h"
#include "converter/finetune/held_out_judge.h"
#include "converter/finetune/options.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The training images.
struct TrainingImages {
    /// Each epoch shows every item once. Without a map of labels, there must be a teacher.
    EvaluationImages images;
    /// How the command line selected them, such as {"data", "cifar-10"}, {"subset", 200}; for the lineage.
    model::Json::Object origin;
    /// Images that are not trained on: if the trained model is not better on them, the step is undone.
    std::optional<EvaluationImages> held_out{};
};

struct FinetuneFiles {
    std::filesystem::path output;
    std::filesystem::path checkpoint;
    double checkpoint_seconds = 300;     ///< between two checkpoints; 0: none by time
    std::uint64_t checkpoint_steps = 0;  ///< steps between two checkpoints; 0: none by steps
    bool resume = false;                 ///< continue from the checkpoint, if there is one
};

/// A summary of the run before it starts.
struct TrainingPlan {
    std::uint64_t images = 0;  ///< an epoch
    std::uint64_t epochs = 0;
    std::uint64_t head_epochs = 0;  ///< how many of them, at the start, train only a new head
    std::uint64_t steps = 0;        ///< in all epochs
    std::uint64_t done = 0;         ///< steps that the checkpoint has completed
    std::size_t batch = 0;          ///< images per step
    std::size_t micro_batch = 0;
    int threads = 0;
    std::uint64_t bytes = 0;  ///< memory that training needs
};

/// A completed step.
struct TrainingStep {
    std::uint64_t step = 0;    ///< counted from 1, over all epochs
    std::uint64_t epoch = 0;   ///< from 1
    std::uint64_t images = 0;  ///< shown so far, in all epochs
    double loss = 0;           ///< mean of the objective over this step's images, with dropout
    /// Share of this step's images that were predicted correctly or, without labels, as by the teacher.
    double accuracy = 0;
    double epoch_loss = 0;  ///< mean over the epoch's images so far
    double epoch_accuracy = 0;
    double learning_rate = 0;
    double seconds = 0;  ///< of training, including the time before an interruption
};

/// A learning rate that was tried in a short run.
struct TriedRate {
    double rate = 0;
    double loss = 0;  ///< on held-out images; infinite if training failed
};

/// Callbacks during training. Each may be empty.
struct TrainingObserver {
    std::function<void(const TrainingPlan&)> starting;
    std::function<void(const TrainingStep&)> stepped;
    std::function<bool()> should_stop;  ///< called after each step
    model::Progress trying_rates;       ///< counts learning rates, before the start
    std::function<void(const std::vector<TriedRate>&)> rates_tried;
    model::Progress judging;  ///< counts held-out images
    model::Progress writing;
};

/// What came of a run.
struct FinetuneResult {
    /// On the held-out images: of the model before, unless it got a new head, and of the trained one. None
    /// without such images.
    std::optional<HeldOutScore> before;
    std::optional<HeldOutScore> after;
    bool undone = false;  ///< whether the trained model was no better: the file has the weights from before
};

/// Does finetune()'s checks of options, files and model (which must not be quantised), without any work.
void check_finetune(const model::ModelFile& model, const FinetuneOptions& options,
                    const FinetuneFiles& files);

/// Trains a copy of `model` and writes it; its variant and the order of its dense weights stay. A new head
/// (NewHeadModel) is first trained alone. Where the rate is to be found (FinetuneOptions::finds_rate), short
/// runs come first. If held-out images say that the trained model is not better
/// (is_better()) than the one before, the file has the weights from before, and its lineage says so. Finally
/// removes the checkpoint. The result depends on the model, the images and the options, and slightly on
/// micro-batch and threads, but not on interruptions: with `resume`, training continues bit for bit.
///
/// Throws Error: usage for invalid options, for a checkpoint of another run, for an existing checkpoint
/// without `resume`, and in a build without oneDNN; bad_input for a model with quantised layers, and for an
/// image or checkpoint that cannot be read; failed if memory or disk space is insufficient, if the loss is
/// not finite, and if training was stopped. If it was stopped or an image is unreadable, a checkpoint of the
/// completed steps remains.
FinetuneResult finetune(const model::ModelFile& model, const TrainingImages& images,
                        const FinetuneOptions& options, const FinetuneFiles& files,
                        const TrainingObserver& observer = {});

}  // namespace vgg19::converter
