// A model: a file of weights with its network description, opened and checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19 {

namespace model {
class ModelFile;
}

/// How an image becomes the network's input: it is resized, with antialiased bilinear interpolation and its
/// ratio of width to height kept, to the smallest size that covers round(input_size · resize_ratio), the
/// centre is cropped, and each channel of [0, 1] is normalised to (x − mean) / deviation.
struct Preprocessing {
    MapSize input_size = 224;
    double resize_ratio = 256.0 / 224.0;
    std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
    std::array<float, 3> deviation = {0.229F, 0.224F, 0.225F};
};

/// Immutable, cheap to copy, shared between sessions and threads: copies share one mapping of the file.
class Model {
  public:
    /// Maps a file that `vgg19 convert` or a later step wrote, and checks all but the checksums.
    /// Throws Error (bad_input), with every missing, extra or mis-shaped tensor in the message.
    static Model open(const std::filesystem::path& path);

    const std::string& variant() const;               ///< "baseline", "pruned", "int8", …
    const std::vector<std::string>& lineage() const;  ///< the steps that made the file, oldest first
    const Preprocessing& preprocessing() const;
    std::uint64_t file_bytes() const;
    std::uint64_t active_parameters() const;       ///< weights and biases, INT8 ones too; no scales
    std::uint64_t macs(MapSize input_size) const;  ///< multiply-accumulates for one image
    std::size_t classes() const;
    /// One a class, in the order of the logits; none where the file does not say them. Models of ImageNet's
    /// 1000 classes have none of their own as a rule: predictions are named all the same.
    const std::vector<std::string>& class_names() const;

    /// For the library's own parts.
    const std::shared_ptr<const model::ModelFile>& file() const { return file_; }

  private:
    explicit Model(std::shared_ptr<const model::ModelFile> file) : file_(std::move(file)) {}
    std::shared_ptr<const model::ModelFile> file_;
};

}  // namespace vgg19
