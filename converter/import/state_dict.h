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
    /// Finds the container by content: PyTorch's zip format, its older stream format, or safetensors. Throws
    /// Error (bad_input).
    static StateDict open(const std::filesystem::path& path);

    /// What the tensors' bytes belong to.
    const model::MappedFile& mapping() const;
    /// Whether it is a model file of ours, which says more than a state dict.
    bool is_model() const;
    /// In the order of the file.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const CheckpointFacts& facts() const { return facts_; }

  private:
    using File = std::variant<model::MappedFile, model::SafetensorsFile>;
    StateDict(File file, std::vector<StoredTensor> tensors)
        : file_(std::move(file)), tensors_(std::move(tensors)) {}

    File file_;
    std::vector<StoredTensor> tensors_;
    CheckpointFacts facts_;
};

}  // namespace vgg19::converter
