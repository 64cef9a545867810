// From other people's files of VGG weights to a model file.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

struct ImportOptions {
    /// Of the dense weights in the output. Input-major is what runs fastest, output-major what PyTorch loads.
    /// None: input-major; but a model of ours of which something else is changed keeps what it has.
    std::optional<model::DenseOrder> dense_order{};
    /// Where in the file the VGG is, where there are several: "state_dict_ema"; "." is the root.
    std::string key{};
    /// Of the batch norms; 0: what the file says of them, else PyTorch's 1e-5.
    double batch_norm_epsilon = 0;
    /// Names of the classes (read_class_names); empty: those of the checkpoint, where it has some.
    std::filesystem::path classes{};
    /// The input size that the model is meant for; 0: the one whose map the dense layers see unaveraged, 32 ×
    /// the side of their map.
    MapSize input_size{};
    /// Of each channel's values in [0, 1], as the network was trained; none: ImageNet's.
    std::optional<std::array<float, 3>> mean{};
    std::optional<std::array<float, 3>> deviation{};
};

/// What import_model() found, for people.
struct ImportReport {
    bool is_model = false;    ///< the input was a model of ours: of what follows only the notes say something
    std::string title;        ///< "VGG-19 with batch norm"
    std::string prefix;       ///< where in the file it was; "" at the root
    std::size_t tensors = 0;  ///< that were taken
    std::string dense;  ///< "classifier.0, classifier.3, classifier.6: 25088 → 4096 → 4096 → 1000"
    /// Where tensors were left, and how many.
    std::vector<std::pair<std::string, std::size_t>> left;
    std::vector<std::string> skipped;  ///< what else was, as CheckpointFacts has it
    std::vector<std::string> notes;    ///< what was assumed, and how to say otherwise
};

/// Reads a checkpoint from `input`: PyTorch's zip format, its older stream format, or safetensors, found by
/// content. The VGG in it may be under any keys, beside anything else, with any of the names that
/// recognise_vgg() knows; VGG-BN is folded, parameters in parts are put together, and all get plain VGG's
/// names; values become F32. Writes a model of variant "baseline" to `output`. A model of ours, of any
/// variant, only gets its dense weights in the wanted order, and what else the options say of its classes and
/// preprocessing (change_model). Throws Error: bad_input, with every missing, extra or mis-shaped tensor
/// listed, for class names that do not fit, and for batch norms whose epsilon is in doubt; usage when both
/// are the same file, or for options that a model of ours has no use for; failed when the output cannot be
/// written.
ImportReport import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                          const ImportOptions& options = {}, const model::Progress& progress = {});

/// Sizes up to this are those of data sets whose pictures are as small (CIFAR, Tiny ImageNet): their models
/// see the whole picture. Models of larger inputs see the centre of one that is 256 / 224 times as large.
inline constexpr std::size_t largest_whole_picture = 64;

}  // namespace vgg19::converter
