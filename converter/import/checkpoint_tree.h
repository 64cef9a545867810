// Walks a checkpoint's tree of containers and objects, and collects all tensors with the paths to them.
#pragma once

#include "converter/import/pickle.h"
#include "converter/import/torch_state.h"
#include "converter/import/torch_storage.h"

namespace vgg19::converter {

// Pickles share objects, even in cycles, so that a few bytes can describe a tree of terabytes. Whatever
// exceeds these limits is left out and reported in the facts.
inline constexpr int most_paths = 4;  ///< to the same container
inline constexpr std::size_t most_levels = 200;
inline constexpr std::size_t longest_path = 1000;  ///< in bytes
inline constexpr std::size_t most_tensors = 100'000;
/// Bytes of memory, at most, for tensors, names and facts together, for each byte of the pickle, and whatever
/// its size. Real files need a tenth.
inline constexpr std::size_t contents_memory_factor = 16;
inline constexpr std::size_t least_contents_memory = std::size_t{1} << 20;

/// Every tensor that is reachable from the pickle's root, under its path: keys, attribute names and list
/// indices, joined with dots. The path omits the `_modules`, `_parameters` and `_buffers` of modules. Tensors
/// of types that a VGG never has are left out and counted. Throws Error (bad_input) for malformed tensors
/// (TensorReader). Takes time linear in the pickle's size.
CheckpointContents flatten(const Pickle& pickle, const StorageBytes& storages);

}  // namespace vgg19::converter
