// What a checkpoint says beside the values of its tensors.
#pragma once

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

    std::vector<ClassNames> class_names;
    std::vector<Epsilon> batch_norm_epsilons;
    /// Tensors that PyTorch quantised, which are not among the file's tensors.
    std::vector<std::string> quantized;
    /// What was left out besides, for people: "optimizer: 120 values", "args: an argparse.Namespace".
    std::vector<std::string> skipped;
};

}  // namespace vgg19::converter
