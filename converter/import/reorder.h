// A model of ours with its dense weights in another order, or another description.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes the model with its FP32 and INT8 dense weights in `order`, or in the order that they have where
/// there is none, and with another description, whose lineage says so (its network is the model's).
/// Everything else, INT4 weights too, is as it was. Throws Error: usage when both are the same file;
/// bad_input, where a weight is not finite; failed when the output cannot be written.
void change_model(const model::ModelFile& model, const std::filesystem::path& output,
                  std::optional<model::DenseOrder> order, const model::Description& description,
                  const model::Progress& progress = {});

/// The same with the description that the model has, and this step added to its lineage.
void reorder_dense(const model::ModelFile& model, const std::filesystem::path& output,
                   model::DenseOrder order, const model::Progress& progress = {});

/// "--dense-order input", for lineages.
const char* dense_order_option(model::DenseOrder order);

}  // namespace vgg19::converter
