// A state dict: the tensors of a file, whichever container they came in.
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
    /// Finds the container by content: PyTorch's zip format (TorchScript's too), its older stream format, a
    /// plain pickle, or safetensors. Throws Error (bad_input), which names other kinds of files.
    static StateDict open(const std::filesystem::path& path);

    /// What the tensors' bytes belong to, but for those that had to be decoded.
    const model::MappedFile& mapping() const;
    /// Whether it is a model file of ours, which says more than a state dict.
    bool is_model() const;
    /// Every tensor of the file, each under its full path: the keys that lead to it, with dots between. In
    /// the order of the file. A tensor that the file has under several keys is there as often.
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
