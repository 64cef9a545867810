// What the modules of a pickled network are, and whether a VGG has such.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/names.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// What a module with these attributes is where it is one of torch.nn's, in a pickle or in TorchScript; an
/// empty type where it is another. The path is left to the caller.
CheckpointFacts::ModuleType module_type(const Pickle& pickle, const PickleGlobal& type,
                                        const PickleValue& attributes);

/// Holds what the file says of the network's modules against what a VGG is made of: 3×3 convolutions with a
/// border of one zero, ReLUs, five 2×2 max-pools. Gives notes, for people, about what stands behind the last
/// layer. Throws Error (bad_input), with `file` in the message, that lists the modules which are others:
/// their tensors alone would make another network, without a word.
std::vector<std::string> check_module_types(const VggTensors& vgg,
                                            const std::vector<CheckpointFacts::ModuleType>& modules,
                                            const std::string& file);

}  // namespace vgg19::converter
