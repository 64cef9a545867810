// How many images go through a network at a time, so that training fits in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "converter/finetune/options.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Bytes that training takes in all: the network's, the optimiser's, and those of images read ahead.
/// `options.input_size` and `options.threads` are not 0.
std::uint64_t training_bytes(const model::ModelFile& model, const FinetuneOptions& options,
                             std::size_t micro_batch);

/// The images of a step in as few parts of about equal length as fit into the memory of `options`: the length
/// of the longest. Throws Error (usage where options say how much memory, else failed), with what is needed,
/// where not even one image fits.
std::size_t choose_micro_batch(const model::ModelFile& model, const FinetuneOptions& options);

/// Throws the same where that many do not fit.
void require_fit(const model::ModelFile& model, const FinetuneOptions& options, std::size_t micro_batch);

}  // namespace vgg19::converter
