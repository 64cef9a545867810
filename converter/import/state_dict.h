// A state dict: all tensors of a file, independent of its container.
#pragma once

#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/stored_tensor.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

class StateDict {
  public:
    /// Recognises the container by content: PyTorch's zip format (including TorchScript), its older stream
    /// format, a plain pickle, or safetensors. Throws Error (bad_input), which names the kind of other files.
    static StateDict open(const std::filesystem::path& path) { return open(model::MappedFile(path)); }
    static StateDict open(model::MappedFile mapping);

    /// The mapping that tensors' bytes point into, except those that had to be decoded.
    const model::MappedFile& mapping() const;
    /// Whether it is a vgg19 model file, which holds more than a state dict.
    bool is_model() const;
    /// Every tensor of the file under its full path, the keys joined with dots, in file order. A tensor that
    /// is stored under several keys occurs several times.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const CheckpointFacts& facts() const { return facts_; }

  private:
    using File = std::variant<model::MappedFile, model::SafetensorsFile>;
    explicit StateDict(File file) : file_(std::move(file)) {}

    File file_;
    std::vector<StoredTensor> tensors_;
    CheckpointFacts facts_;
    OwnedBytes owned_;
};

}  // namespace vgg19::converter
