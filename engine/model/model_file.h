// Reads model files: safetensors with torchvision's tensor names (plus our own names for input-major dense
// weights), and a description in the metadata.
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

/// Everything about a model except its weights.
struct Description {
    Network network;
    Preprocessing preprocessing;
    std::string variant;               ///< "baseline", "pruned", "int8", …
    std::string source_sha256;         ///< of the file from which the weights were imported
    std::vector<std::string> lineage;  ///< the applied steps, oldest first, such as "prune --ratio 0.1"
    /// One different name per class, in the order of the network's outputs; empty if unknown.
    std::vector<std::string> class_names{};
    Pooling pooling = Pooling::max;
};

/// An opened model: exactly the tensors that its network needs, all of the right type and shape.
/// - Weights are F32; a dense layer's may have either order (DenseOrder).
/// - Weights of dense layers, and of all convolutions except the first (whose input is signed), may be I8
///   with a positive, finite F32 scale per output channel.
/// - An INT8 convolution has the scale of its input and, optionally, the scales of its transformed input
///   (network.h).
/// - A convolution may have the factors of its output channels (network.h).
/// - Dense weights may also be INT4 with F16 scales (network.h).
/// - Biases are F32.
class ModelFile {
  public:
    /// Throws Error (bad_input). For a safetensors file without vgg19's metadata the message points to `vgg19
    /// convert`.
    static ModelFile open(const std::filesystem::path& path);
    static ModelFile open(MappedFile bytes);

    /// The same model with some layers replaced: for each layer that occurs in `tensors`, all its tensors are
    /// replaced. Their bytes must outlive the result. Throws Error (bad_input).
    ModelFile with(std::span<const Tensor> tensors) const;
    /// Also replaces the description; tensors of layers that its network does not have are left out.
    ModelFile with(Description description, std::span<const Tensor> tensors) const;

    const std::filesystem::path& path() const { return file_->mapping().path(); }
    const Description& description() const { return description_; }
    const Network& network() const { return description_.network; }
    const SafetensorsFile& file() const { return *file_; }
    /// As the file is stored, which may be packed.
    std::uint64_t file_bytes() const { return file_->mapping().stored_bytes(); }

    const std::vector<Tensor>& tensors() const { return tensors_; }
    /// Biases and other vectors can always be read; tensors of more dimensions, of a file that is read when
    /// used, while the result exists (MappedFile::use()).
    [[nodiscard]] MappedFile::Use use(const Tensor& tensor) const {
        return file_->mapping().use(tensor.bytes);
    }
    /// Throws Error (usage) for a model of features alone, which has no classes.
    void require_classifier() const;

    const Tensor* find(std::string_view name) const;  ///< nullptr if there is none
    /// The caller knows that the network has this tensor.
    const Tensor& tensor(std::string_view name) const;
    /// A dense layer's weights, in the order and type that the file has.
    const Tensor& weight(const DenseLayer& layer) const;
    /// INT4 weights are always input-major.
    DenseOrder order(const DenseLayer& layer) const;
    bool is_int8(std::string_view layer) const;
    bool is_int4(std::string_view layer) const;
    /// What the map of a convolution is to be multiplied by, one number for each output channel, to be the
    /// trained network's; empty: by nothing.
    std::span<const float> output_factors(std::string_view layer) const;
    /// Whether such factors are missing: channels were scaled when the model was quantised, by a version that
    /// did not keep them. Only the last convolution's map is known then.
    bool lacks_output_factors() const;
    /// Checks the scales of an INT4 layer, which open() skips because there are many. Throws Error
    /// (bad_input) if one is negative or not finite.
    void check_int4_scales(const DenseLayer& layer) const;

    /// Compares every tensor's bytes with its checksum. Throws Error (bad_input) that lists all mismatches.
    void verify_checksums(const Progress& progress = {}) const;

  private:
    ModelFile(std::shared_ptr<const SafetensorsFile> file, Description description,
              std::vector<Tensor> tensors)
        : file_(std::move(file)), description_(std::move(description)), tensors_(std::move(tensors)) {}

    std::shared_ptr<const SafetensorsFile> file_;
    Description description_;
    std::vector<Tensor> tensors_;
};

/// Checks `tensors` against the network as ModelFile::open does (with `name` as the file's name in messages),
/// that all weights are finite, and the scales of INT4 weights. Then computes the checksums and writes the
/// file crash-safely, as write_safetensors() does. Throws Error (bad_input or failed).
void write_model(const Destination& to, const Description& description, std::span<const Tensor> tensors,
                 const Progress& progress = {});
/// The same for tensors that come from `source`: throws Error (bad_input), and writes nothing, if that file
/// has changed since it was opened.
void write_model(const Destination& to, const Description& description, std::span<const Tensor> tensors,
                 const Progress& progress, const MappedFile& source);

/// Throws Error (usage) if both paths are the same file: a command never overwrites its input.
void require_other_file(const std::filesystem::path& input, const std::filesystem::path& output);

}  // namespace vgg19::model
