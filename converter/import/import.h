// Converts VGG weights of other programs into a model file.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

struct ForeignFormat;

struct ImportOptions {
    /// The order of the dense weights in the output: input-major is fastest, output-major is what PyTorch
    /// loads. Unset means input-major, except that a vgg19 model keeps its order if another option changes
    /// it.
    std::optional<model::DenseOrder> dense_order{};
    /// The VGG's path in the file, if there are several: "state_dict_ema"; "." is the root.
    std::string key{};
    /// Epsilon of the batch norms; 0 means the file's value, or else PyTorch's 1e-5.
    double batch_norm_epsilon = 0;
    /// A file of class names (read_class_names); empty means the checkpoint's own names, if it has some.
    std::filesystem::path classes{};
    /// The input size that the model is meant for; 0: the one whose map the dense layers see unaveraged, 32 ×
    /// the side of their map.
    MapSize input_size{};
    /// Of each channel's values in [0, range], in the order of the network's channels, as it was trained;
    /// none: ImageNet's.
    std::optional<std::array<float, 3>> mean{};
    std::optional<std::array<float, 3>> deviation{};
    std::optional<ChannelOrder> channel_order{};  ///< none: RGB
    std::optional<float> range{};                 ///< none: 1
    /// None: max, or what the modules of a pickled network say.
    std::optional<Pooling> pooling{};
    /// Leaves out the classifier, whatever it is.
    bool features_only = false;
    /// Writes a packed file (engine/model/packed_file.h).
    bool pack = false;
    /// Formats to read besides PyTorch's and safetensors: foreign_formats() (formats/formats.h).
    std::span<const ForeignFormat> formats{};
};

/// What import_model() found, as text for the user.
struct ImportReport {
    bool is_model = false;    ///< the input was a vgg19 model; of the fields below only the notes are set
    std::string title;        ///< "VGG-19 with batch norm"
    std::string prefix;       ///< its path in the file; "" at the root
    std::size_t tensors = 0;  ///< how many were imported
    std::string dense;  ///< "classifier.0, classifier.3, classifier.6: 25088 → 4096 → 4096 → 1000"
    /// The places of unused tensors, and their numbers.
    std::vector<std::pair<std::string, std::size_t>> left;
    std::vector<std::string> skipped;  ///< other unused content, as in CheckpointFacts
    std::vector<std::string> notes;    ///< assumptions, and how to override them
};

/// Reads a checkpoint from `input`: PyTorch's zip format, its older stream format, safetensors, or one of the
/// options' formats, recognised by content. It holds a whole VGG, its convolutions alone, or the first of
/// them. The VGG may have any path and any of the names that recognise_vgg() knows. Batch norms are folded,
/// parameters stored in parts are combined, and all tensors get plain VGG's names; values become F32. Writes
/// a model of variant "baseline" to `output`.
///
/// For a vgg19 model of any variant, only the order of its dense weights changes, and the classes, pools and
/// preprocessing that the options set (change_model); with features_only its classifier goes. Where the
/// options set nothing of that, and the input is packed or the output is to be, the plain file stays byte for
/// byte.
///
/// Throws Error: bad_input with a list of all missing, extra or mis-shaped tensors, for class names that do
/// not fit, and for batch norms with an ambiguous epsilon; usage if both paths are the same file, or for
/// options that do not apply to a vgg19 model; failed if the output cannot be written.
ImportReport import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                          const ImportOptions& options = {}, const model::Progress& progress = {});

/// Inputs up to this size come from data sets of equally small pictures (CIFAR, Tiny ImageNet), so that the
/// model sees the whole picture. Models with larger inputs see the centre crop of a picture that is 256 / 224
/// times as large.
inline constexpr std::size_t largest_whole_picture = 64;

}  // namespace vgg19::converter
