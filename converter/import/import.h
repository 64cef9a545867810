// From other people's files of VGG weights to a model file.
#pragma once

#include <filesystem>

#include "engine/model/model_file.h"

namespace vgg19::converter {

struct ImportOptions {
    /// Of the dense weights in the output. Input-major is what runs fastest, output-major what PyTorch loads.
    model::DenseOrder dense_order = model::DenseOrder::input_major;
};

/// Reads a state dict from `input`: PyTorch's zip format, its older stream format, or safetensors, found by
/// content. Names may be torchvision's (with or without `module.`, at top level or under `state_dict` or
/// `model`) or timm's. The network is inferred from names and shapes (VGG-11, 13, 16 or 19 of any widths;
/// VGG-BN is folded and gets plain VGG's names); values become F32. Writes a model of variant "baseline" to
/// `output`. A model of ours, of any variant, only gets its dense weights in the wanted order
/// (reorder_dense). Throws Error: bad_input, with every missing, extra or mis-shaped tensor listed; usage
/// when both are the same file; failed when the output cannot be written.
void import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                  const ImportOptions& options = {}, const model::Progress& progress = {});

}  // namespace vgg19::converter
