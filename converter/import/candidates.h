// Where in a checkpoint a VGG may be.
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

/// Modules side by side whose names are those of a VGG's convolutions: "features.0", "features.2", …
struct Container {
    std::string path;  ///< "state_dict.features", without the wrappers at its end
    Naming naming = Naming::sequential;
    std::map<std::string, const Module*> modules;  ///< by Layout::convolution(k) or norm(k)
    std::vector<const Module*> repeated;           ///< a second one of a name

    const Module* find(const std::string& name) const;
    /// The path of a module that is here, or would be.
    std::string path_of(const std::string& name) const;
};

/// A container with the layout that fits it best, and the dense layers' modules that are nearest to it.
struct Candidate {
    Container container;
    Layout layout;
    /// Nothing of the VGG is outside of this path.
    std::string prefix;
    /// In the order of the file: those with weights of two or four dimensions, or with a bias alone.
    std::vector<const Module*> dense;
    std::uint64_t parameters = 0;  ///< of what was found
    bool likely = false;           ///< at least half of the convolutions are there, with filters of 3×3
};

/// Those that may be meant, the best first: likely ones with dense layers, then the largest, then what is at
/// the root, under "state_dict" or under "model", then the first in the file. Unlikely ones are there only
/// where no other is.
std::vector<Candidate> find_candidates(const std::vector<Module>& modules);

}  // namespace vgg19::converter
