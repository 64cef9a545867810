// A checkpoint is a tree of containers and objects: all its tensors, by the keys that lead to them.
#pragma once

#include "converter/import/pickle.h"
#include "converter/import/torch_state.h"
#include "converter/import/torch_storage.h"

namespace vgg19::converter {

// Pickles share what they hold, in circles too, and a few bytes can say a tree of terabytes. What is beyond
// these bounds is left out, and the facts say so.
inline constexpr int most_paths = 4;  ///< that lead to the same container
inline constexpr std::size_t most_levels = 200;
inline constexpr std::size_t longest_path = 1000;  ///< in bytes
inline constexpr std::size_t most_tensors = 100'000;

/// Every tensor that the pickle's root leads to, each under its path: keys, attributes' names and places in
/// lists, with dots between. Of modules `_modules`, `_parameters` and `_buffers` are left out of the path.
/// Tensors that no VGG is made of are left out and counted. Throws Error (bad_input) for tensors that are
/// malformed (TensorReader). Time is linear in the pickle's size.
CheckpointContents flatten(const Pickle& pickle, const StorageBytes& storages);

}  // namespace vgg19::converter
