// Chooses how many images pass through the network at a time, so that training fits into memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "converter/finetune/options.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The total memory of training in bytes: network, optimiser, the mean of the weights, and images that are
/// read ahead; without a teacher's.
/// `options.input_size` and `options.threads` must be set.
std::uint64_t training_bytes(const model::ModelFile& model, const FinetuneOptions& options,
                             std::size_t micro_batch);

/// Splits the images of a step into as few parts of nearly equal size as fit into the memory of `options`;
/// returns the size of the largest. Throws Error (usage if options set the memory, else failed), with the
/// required memory, if not even one image fits.
std::size_t choose_micro_batch(const model::ModelFile& model, const FinetuneOptions& options);

/// Throws the same error if `micro_batch` images do not fit.
void require_fit(const model::ModelFile& model, const FinetuneOptions& options, std::size_t micro_batch);

}  // namespace vgg19::converter
