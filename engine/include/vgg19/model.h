// A model: a file with weights and a network description, opened and checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::model {
class ModelFile;
struct ModelAccess;
}  // namespace vgg19::model

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

/// The order of the channels of a network's input.
enum class ChannelOrder : unsigned char { rgb, bgr };

/// How an image becomes the network's input: it is resized with antialiased bilinear interpolation, keeping
/// its aspect ratio, to the smallest size that covers round(input_size · resize_ratio); then the centre is
/// cropped, the channels are put into `channel_order`, and each value x in [0, range] is normalised to
/// (x − mean) / deviation. The defaults are those of torchvision's models.
struct Preprocessing {
    MapSize input_size = 224;
    double resize_ratio = 256.0 / 224.0;
    /// One number for each channel of the network's input: the first is red's in RGB, and blue's in BGR.
    std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
    std::array<float, 3> deviation = {0.229F, 0.224F, 0.225F};
    ChannelOrder channel_order = ChannelOrder::rgb;
    float range = 1;  ///< what the largest sample becomes before the mean is subtracted: 1, or 255

    friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// What the 2×2 pools of stride 2 between a network's convolutions compute.
enum class Pooling : unsigned char { max, average };

/// Immutable, thread-safe and cheap to copy: copies share the weights that their sessions have in use.
class Model {
  public:
    /// Opens a file written by `vgg19 convert` or a later command, and checks all but its weights' checksums.
    /// Sessions read the weights: what others do to the file then is no matter; before, Session throws Error.
    static Model open(const std::filesystem::path& path);
    /// The same for a file that is open: `length` bytes from `offset` on, or all that follow if `length` is
    /// 0. The descriptor may be closed afterwards. Both throw Error (bad_input) with all that is wrong.
    static Model from_descriptor(int descriptor, std::uint64_t offset = 0, std::uint64_t length = 0);
    /// The same for a file's bytes in memory, which are used in place: they must stay as they are while the
    /// model, its copies and their sessions exist. `owner`, if given, is kept that long. Weights must be at
    /// multiples of their element's size, as they are in a file at a multiple of 8 bytes. A mapping of a file
    /// lets processes share weights, but then nobody may change it, not even its length.
    static Model from_memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr);

    const std::string& variant() const;               ///< "baseline", "pruned", "int8", …
    const std::vector<std::string>& lineage() const;  ///< the steps that produced the file, oldest first
    const Preprocessing& preprocessing() const;
    Pooling pooling() const;
    std::uint64_t file_bytes() const;         ///< as the file is stored, which may be packed
    std::uint64_t active_parameters() const;  ///< weights and biases, including INT8 ones, without scales
    std::uint64_t macs(MapSize input_size) const;  ///< multiply-accumulates for one image
    std::size_t classes() const;                   ///< 0 for a model of features alone
    /// One name per class, in the order of the logits; empty if the file has none. Models of ImageNet's 1000
    /// classes usually have no names of their own; their predictions are still named.
    const std::vector<std::string>& class_names() const;

  private:
    friend struct model::ModelAccess;  // the library's own code
    explicit Model(std::shared_ptr<const model::ModelFile> file) : file_(std::move(file)) {}
    std::shared_ptr<const model::ModelFile> file_;
};

}  // namespace vgg19

#pragma GCC visibility pop
