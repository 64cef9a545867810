// Finds a learning rate by short runs.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/finetune/finetune.h"
#include "converter/finetune/training.h"

namespace vgg19::converter {

/// The rates that are tried: the optimiser's usual one and smaller ones, in decreasing order.
std::vector<double> candidate_rates(OptimizerKind optimizer);

/// For each candidate, trains the model for the same few steps, and judges it on some of the held-out images.
/// All runs start from the same weights, with the same images, so the result is reproducible. `options` must
/// have input size and threads set. Throws Error (usage) without held-out images, and
/// (failed) if `observer` says that training should stop.
std::vector<TriedRate> try_rates(const model::ModelFile& model, const TrainingImages& images,
                                 const FinetuneOptions& options, std::size_t micro_batch,
                                 const Lesson& lesson, const TrainingObserver& observer);

/// The rate with the lowest loss; the smallest of them if none has a finite loss.
double best_rate(const std::vector<TriedRate>& tried);

}  // namespace vgg19::converter
