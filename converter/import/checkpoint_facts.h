// Information in a checkpoint besides the values of its tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"
#include "vgg19/map_size.h"

namespace vgg19::converter {

/// The note that something behind the last layer is not imported.
inline std::string left_out_text(const std::string& name, const std::string& type) {
    return name + " (" + type + "), after the last layer, is left out: the outputs are its inputs";
}

inline constexpr const char* rounds_up_text =
    "pools that round sizes up: ours round down, which is the same for inputs that are multiples of 32";

/// A path joins the keys from the file's root with dots: "state_dict.features.0.weight".
struct CheckpointFacts {
    /// A list of texts, or a map between texts and the whole numbers from 0 on, under a key that means class
    /// names.
    struct ClassNames {
        std::string path;
        std::vector<std::string> names;  ///< in the order of the classes
    };
    /// A number under a key that means the epsilon of batch norms, or of the single module at the path.
    struct Epsilon {
        std::string path;
        double value = 0;
    };

    /// A torch.nn module in a pickled network or in TorchScript.
    struct ModuleType {
        std::string path;
        std::uint64_t object = 0;  ///< its identity: the same object may occur at several paths
        std::string type;          ///< "LeakyReLU"
        bool rounds_up = false;    ///< a pool with ceil_mode
        std::string
            unlike;  ///< how it differs from a VGG's module, "MaxPool2d with stride 3"; empty if it does not
    };

    std::vector<ClassNames> class_names;
    std::vector<Epsilon> batch_norm_epsilons;
    std::vector<ModuleType> modules;
    /// What TorchScript's code runs last, if that is a ReLU: "torch.relu"; empty otherwise.
    std::string last_relu{};
    /// Tensors quantised by PyTorch; they are not among the file's tensors.
    std::vector<std::string> quantized;
    /// Other tensors that cannot be read, as text for the user: "head.weight: 1 tensor (float8_e5m2)". They
    /// are also among `skipped`.
    std::vector<std::string> unread_tensors;
    /// What `vgg19 export` wrote beside the weights: a model file's metadata (docs/model-file.md); empty if
    /// nothing did. Neither its keys nor its values have been checked.
    model::Metadata exported{};
    /// Everything else that was left out, as text for the user: "optimizer: 120 values", "args: an
    /// argparse.Namespace".
    std::vector<std::string> skipped;
    /// The way of preprocessing that such files are trained with, a name for set_known_preprocessing(); empty
    /// if it is not known.
    std::string preprocessing;
    double usual_epsilon = 0;  ///< that batch norms have in such files where they do not say; 0: PyTorch's
    MapSize input_size{};      ///< that the file's network is made for; empty if it does not say
    std::vector<std::string> notes;  ///< for the user
};

}  // namespace vgg19::converter
