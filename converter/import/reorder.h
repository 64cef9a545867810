// Rewrites a model with its dense weights in another order, or with another description.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes the model with another description (for the same network; its lineage names the step), and with its
/// FP32 and INT8 dense weights in `order`, or in their present order if `order` is unset. Everything else,
/// including INT4 weights, stays the same. Throws Error: usage if both paths are the same file; bad_input if
/// a weight is not finite; failed if the output cannot be written.
void change_model(const model::ModelFile& model, const model::Destination& output,
                  std::optional<model::DenseOrder> order, const model::Description& description,
                  const model::Progress& progress = {});

/// The same with the model's own description, this step added to its lineage.
void reorder_dense(const model::ModelFile& model, const model::Destination& output, model::DenseOrder order,
                   const model::Progress& progress = {});

/// "--dense-order input", as it appears in lineages.
const char* dense_order_option(model::DenseOrder order);

}  // namespace vgg19::converter
