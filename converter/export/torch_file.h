// Writes a model's weights as PyTorch's .pth.
#pragma once

#include <filesystem>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Writes what torch.save(model.state_dict(), path) would write for the network in torchvision's form: FP32
/// weights with its names and shapes (plain_weights.h). torch.load(path, weights_only=True) takes it, and
/// load_state_dict() of a network of the same widths; a factored dense layer is a Sequential of two Linear.
/// Beside it stands the description, which import_model() reads: preprocessing, class names, pooling,
/// lineage.
///
/// Values are passed on some MB at a time, and the file appears whole or not at all. Throws Error: usage if
/// both paths are the same file; bad_input if the model's file changes meanwhile; failed if the output cannot
/// be written.
void export_torch(const model::ModelFile& model, const std::filesystem::path& output,
                  const model::Progress& progress = {});

}  // namespace vgg19::converter
