// Fine-tuning: a model's weights trained on labelled images, in steps that an interruption does not lose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "converter/evaluate/evaluate.h"
#include "converter/finetune/options.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// What a model is trained on.
struct TrainingImages {
    EvaluationImages images;  ///< every epoch shows each item once
    /// How the command line chose them, such as {"data", "cifar-10"}, {"subset", 200}: for the lineage.
    model::Json::Object origin;
};

struct FinetuneFiles {
    std::filesystem::path output;
    std::filesystem::path checkpoint;
    double checkpoint_seconds = 300;     ///< between two checkpoints; 0: at no time
    std::uint64_t checkpoint_steps = 0;  ///< the same in steps; 0: at none
    bool resume = false;                 ///< go on from the checkpoint, where there is one
};

/// What is about to run.
struct TrainingPlan {
    std::uint64_t images = 0;  ///< an epoch
    std::uint64_t epochs = 0;
    std::uint64_t head_epochs = 0;  ///< of them the first, in which a new head learns alone
    std::uint64_t steps = 0;        ///< of all epochs
    std::uint64_t done = 0;         ///< of them, before the checkpoint
    std::size_t batch = 0;          ///< images a step
    std::size_t micro_batch = 0;
    int threads = 0;
    std::uint64_t bytes = 0;  ///< that training takes
};

/// A step that was done.
struct TrainingStep {
    std::uint64_t step = 0;    ///< from 1, of all epochs
    std::uint64_t epoch = 0;   ///< from 1
    std::uint64_t images = 0;  ///< that were shown, in all epochs
    double loss = 0;           ///< mean of this step's images, with dropout
    double accuracy = 0;       ///< their share that the network had right, in [0, 1]
    double epoch_loss = 0;     ///< the same of the epoch's images so far
    double epoch_accuracy = 0;
    double learning_rate = 0;
    double seconds = 0;  ///< of training, before an interruption too
};

/// Who looks on. Each may be empty.
struct TrainingObserver {
    std::function<void(const TrainingPlan&)> starting;
    std::function<void(const TrainingStep&)> stepped;
    std::function<bool()> should_stop;  ///< asked after each step
    model::Progress writing;
};

/// Throws what finetune() would for its options and files, and for a model with quantised layers, before any
/// work is done.
void check_finetune(const model::ModelFile& model, const FinetuneOptions& options,
                    const FinetuneFiles& files);

/// Trains a copy of `model` and writes it, with the order of its dense weights and its variant as they were;
/// a new head (NewHeadModel) learns alone at first. Then removes the checkpoint. The result depends on the
/// model, the images, the options, and a little on micro-batch and threads; it does not depend on
/// interruptions: `resume` goes on bit for bit.
///
/// Throws Error: usage for options that cannot be, for a checkpoint of another run or one that is in the way,
/// and in a build without oneDNN; bad_input for a model with quantised layers, for an image or a checkpoint
/// that cannot be read; failed where memory or disk are too small, for a loss that is not finite,
/// and when it was stopped. Whenever it was stopped, and for an image, it leaves a checkpoint of the steps
/// that were done.
void finetune(const model::ModelFile& model, const TrainingImages& images, const FinetuneOptions& options,
              const FinetuneFiles& files, const TrainingObserver& observer = {});

}  // namespace vgg19::converter
