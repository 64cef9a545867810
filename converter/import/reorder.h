// From one order of dense weights to the other.
#pragma once

#include <filesystem>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes the model with its FP32 and INT8 dense weights in `order`. Everything else, INT4 weights too, is as
/// it was, with this step added to the lineage. Throws Error: usage when both are the same file;
/// bad_input, where a weight is not finite; failed when the output cannot be written.
void reorder_dense(const model::ModelFile& model, const std::filesystem::path& output,
                   model::DenseOrder order, const model::Progress& progress = {});

}  // namespace vgg19::converter
