// What a checkpoint says beside the values of its tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vgg19::converter {

/// Paths are the keys that lead to a thing from the file's root, with dots between:
/// "state_dict.features.0.weight".
struct CheckpointFacts {
    /// A list of texts, or a mapping between texts and the whole numbers from 0 on, under a key that says
    /// classes.
    struct ClassNames {
        std::string path;
        std::vector<std::string> names;  ///< in the order of the classes
    };
    /// A number under a key that calls it the epsilon of batch norms, or of the one module at the path.
    struct Epsilon {
        std::string path;
        double value = 0;
    };

    /// A module of torch.nn in a pickled network, or in TorchScript.
    struct ModuleType {
        std::string path;
        std::uint64_t object = 0;  ///< which one it is: one may be at several paths
        std::string type;          ///< "LeakyReLU"
        std::string
            unlike;  ///< what of it no VGG has, "MaxPool2d with stride 3"; empty where it is like a VGG's
    };

    std::vector<ClassNames> class_names;
    std::vector<Epsilon> batch_norm_epsilons;
    std::vector<ModuleType> modules;
    /// Tensors that PyTorch quantised, which are not among the file's tensors.
    std::vector<std::string> quantized;
    /// What was left out besides, for people: "optimizer: 120 values", "args: an argparse.Namespace".
    std::vector<std::string> skipped;
};

}  // namespace vgg19::converter
