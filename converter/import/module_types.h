// Checks whether the modules of a pickled network are a VGG's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/names.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// An attribute of a module, among as many as real modules have; nullptr if there is none.
const PickleValue* module_attribute(const Pickle& pickle, const PickleValue& attributes,
                                    std::string_view key);

/// Describes a torch.nn module with these attributes, from a pickle or TorchScript; the type is empty for
/// other modules. The caller sets the path.
CheckpointFacts::ModuleType module_type(const Pickle& pickle, const PickleGlobal& type,
                                        const PickleValue& attributes);

/// What a network's modules tell beyond its tensors.
struct ModuleCheck {
    std::vector<std::string> notes;  ///< for the user, about modules after the last layer
    bool averages_pools = false;     ///< its pools are 2×2 average pools, all of them
    /// Whether a pool is behind the last convolution of features alone; none if that is not told.
    std::optional<bool> ends_with_pool;
};

/// Compares the network's modules in the file with a VGG's: 3×3 convolutions with zero padding 1, ReLUs, five
/// 2×2 max-pools or average pools, fewer for features alone. Throws Error (bad_input), with `file` in the
/// message, that lists the modules that differ: importing their tensors alone would silently make a different
/// network.
ModuleCheck check_module_types(const VggTensors& vgg, const std::vector<CheckpointFacts::ModuleType>& modules,
                               const std::string& file);

}  // namespace vgg19::converter
