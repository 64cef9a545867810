// A model file: safetensors with torchvision's tensor names (input-major dense weights have one of ours), and
// a description in the metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/network.h"
#include "engine/model/safetensors.h"
#include "vgg19/model.h"

namespace vgg19::model {

/// Everything about a model but its weights.
struct Description {
    Network network;
    Preprocessing preprocessing;
    std::string variant;        ///< "baseline", "pruned", "int8", …
    std::string source_sha256;  ///< of the file that the weights came from
    std::vector<std::string>
        lineage;  ///< the steps that were applied, oldest first, such as "prune --ratio 0.1"
    /// One a class, in the order of the network's outputs, no two alike; none where nobody said them.
    std::vector<std::string> class_names{};
};

/// An opened model: the tensors that its network wants, all there, of the right type and shape, and no
/// others. Weights are F32, a dense layer's in either order (DenseOrder); those of dense layers and of any
/// convolution but the first, whose input is signed, may be I8 with a positive, finite F32 scale per output
/// channel; those of dense layers may be INT4 with F16 scales (network.h); an INT8 convolution has the scale
/// of its input, and may have those of its transformed input (network.h); biases are F32.
class ModelFile {
  public:
    /// Throws Error (bad_input); a safetensors file without our metadata is told to go through `vgg19
    /// convert`.
    static ModelFile open(const std::filesystem::path& path);

    /// The same model with other tensors for some layers: of each layer that one of `tensors` belongs to, all
    /// are replaced. Their bytes must outlive the result. Throws Error (bad_input).
    ModelFile with(std::span<const Tensor> tensors) const;
    /// The same with another description too: tensors of layers that its network lacks are left out.
    ModelFile with(Description description, std::span<const Tensor> tensors) const;

    const std::filesystem::path& path() const { return file_->mapping().path(); }
    const Description& description() const { return description_; }
    const Network& network() const { return description_.network; }
    const SafetensorsFile& file() const { return *file_; }
    std::uint64_t file_bytes() const { return file_->mapping().bytes().size(); }

    const std::vector<Tensor>& tensors() const { return tensors_; }
    const Tensor* find(std::string_view name) const;  ///< nullptr where there is none
    /// A tensor that the network is known to have.
    const Tensor& tensor(std::string_view name) const;
    /// A dense layer's weights, in the order and of the type that they have.
    const Tensor& weight(const DenseLayer& layer) const;
    /// INT4 weights are input-major.
    DenseOrder order(const DenseLayer& layer) const;
    bool is_int8(std::string_view layer) const;
    bool is_int4(std::string_view layer) const;
    /// Reads the scales of an INT4 layer, which open() does not: they are many. Throws Error (bad_input) for
    /// one that is negative or not finite.
    void check_int4_scales(const DenseLayer& layer) const;

    /// Compares every tensor's bytes with its checksum. Throws Error (bad_input) that lists all that differ.
    void verify_checksums(const Progress& progress = {}) const;

  private:
    ModelFile(std::shared_ptr<const SafetensorsFile> file, Description description,
              std::vector<Tensor> tensors)
        : file_(std::move(file)), description_(std::move(description)), tensors_(std::move(tensors)) {}

    std::shared_ptr<const SafetensorsFile> file_;
    Description description_;
    std::vector<Tensor> tensors_;
};

/// Checks `tensors` against the network as ModelFile::open does (`name` stands for the file in messages),
/// that every weight is finite, and the scales of INT4 weights; computes the checksums; writes the file the
/// crash-safe way. Throws Error (bad_input or failed).
void write_model(const std::filesystem::path& path, const Description& description,
                 std::span<const Tensor> tensors, const Progress& progress = {});

/// Throws Error (usage) when both paths are the same file: a command never overwrites what it reads.
void require_other_file(const std::filesystem::path& input, const std::filesystem::path& output);

}  // namespace vgg19::model
