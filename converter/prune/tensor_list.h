// The tensors of a new or modified model.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// A model's tensors, and the memory of the new ones.
class TensorList {
  public:
    std::span<float> add(const std::string& name, std::vector<std::size_t> shape) {
        model::Tensor tensor{name, model::DType::f32, std::move(shape), {}};
        const std::size_t elements = tensor.elements();
        owned_.push_back(std::make_unique_for_overwrite<float[]>(elements));
        const std::span<float> values(owned_.back().get(), elements);
        tensor.bytes = std::as_bytes(values);
        tensors_.push_back(std::move(tensor));
        return values;
    }
    void add_unchanged(const model::Tensor& tensor) { tensors_.push_back(tensor); }
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    std::vector<model::Tensor> tensors_;
    std::vector<std::unique_ptr<float[]>> owned_;
};

}  // namespace vgg19::converter
