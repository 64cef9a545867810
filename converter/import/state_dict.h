// A state dict: all tensors of a file, independent of its container.
#pragma once

#include <filesystem>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/foreign_format.h"
#include "converter/import/stored_tensor.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

class StateDict {
  public:
    /// Recognises the container by content: one of the other formats, PyTorch's zip format (including
    /// TorchScript), its older stream format, a plain pickle, or safetensors. Throws Error (bad_input), which
    /// names the kind of other files.
    static StateDict open(const std::filesystem::path& path, std::span<const ForeignFormat> formats = {}) {
        return open(model::MappedFile(path), formats);
    }
    static StateDict open(model::MappedFile mapping, std::span<const ForeignFormat> formats = {});

    /// The mapping that tensors' bytes point into, except those that had to be decoded.
    const model::MappedFile& mapping() const;
    /// Whether a tensor's bytes are in a file to which this one refers.
    bool is_of_another_file(const StoredTensor& tensor) const;
    /// Throws Error (bad_input) if this file or one to which it refers has changed (MappedFile).
    void require_unchanged() const;
    /// Whether it is a vgg19 model file, which holds more than a state dict.
    bool is_model() const;
    /// Every tensor of the file under its full path, the keys joined with dots, in file order. A tensor that
    /// is stored under several keys occurs several times.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const CheckpointFacts& facts() const { return facts_; }

  private:
    using File = std::variant<model::MappedFile, model::SafetensorsFile>;
    explicit StateDict(File file) : file_(std::move(file)) {}
    static StateDict of_contents(model::MappedFile mapping, CheckpointContents contents);

    File file_;
    std::vector<StoredTensor> tensors_;
    CheckpointFacts facts_;
    OwnedBytes owned_;
    std::vector<model::MappedFile> others_;
};

}  // namespace vgg19::converter
