// Checks whether the modules of a pickled network are a VGG's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/names.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// Describes a torch.nn module with these attributes, from a pickle or TorchScript; the type is empty for
/// other modules. The caller sets the path.
CheckpointFacts::ModuleType module_type(const Pickle& pickle, const PickleGlobal& type,
                                        const PickleValue& attributes);

/// Compares the network's modules in the file with a VGG's: 3×3 convolutions with zero padding 1, ReLUs, five
/// 2×2 max-pools. Returns notes for the user about modules after the last layer. Throws Error (bad_input),
/// with `file` in the message, that lists the modules that differ: importing their tensors alone would
/// silently make a different network.
std::vector<std::string> check_module_types(const VggTensors& vgg,
                                            const std::vector<CheckpointFacts::ModuleType>& modules,
                                            const std::string& file);

}  // namespace vgg19::converter
