// Finds possible VGGs in a checkpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/layouts.h"
#include "converter/import/modules.h"

namespace vgg19::converter {

/// Sibling modules whose names are those of a VGG's convolutions: "features.0", "features.2", …
struct Container {
    std::string path;  ///< "state_dict.features", without trailing wrappers
    Naming naming = Naming::sequential;
    std::map<std::string, const Module*> modules;  ///< keyed by Layout::convolution(k) or norm(k)
    std::vector<const Module*> repeated;           ///< further modules with the same name
    int depth = 0;                                 ///< the only one that is possible; 0: any
    bool is_sliced = false;                        ///< as in sliced_containers()

    const Module* find(const std::string& name) const;
    /// The path of a module, whether it exists or not.
    std::string path_of(const std::string& name) const;
};

/// A container with the layout that fits it best, and the dense layers closest to it.
struct Candidate {
    Container container;
    Layout layout;
    /// The whole VGG is below this path.
    std::string prefix;
    /// In file order: modules with a weight of two or four dimensions, or with only a bias.
    std::vector<const Module*> dense;
    std::uint64_t parameters = 0;  ///< in everything that was found
    bool likely = false;           ///< at least half of the convolutions exist and have 3×3 filters
    /// How many convolutions there are up to the last that exists, if they may be all of a network that was
    /// cut off there: nothing else is in their container. 0 otherwise.
    std::size_t cut_off_after = 0;
};

/// All candidates, the best first: likely ones with dense layers, then whole ones, then the largest, then by
/// place (the root, "state_dict", "model"), then the first in the file. Unlikely ones are returned only if
/// there are no others. With `features_only` dense layers are not looked for.
///
/// A few convolutions under an unusual name ("encoder.0", "conv1") are those of a network that was cut off
/// only if nothing else with weights is in the file, or if the user gave a key: many networks begin so.
std::vector<Candidate> find_candidates(const std::vector<Module>& modules, bool features_only = false,
                                       bool has_key = false);

}  // namespace vgg19::converter
