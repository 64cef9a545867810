// A model with a new last dense layer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converter/finetune/options.h"
#include "converter/finetune/training_network.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Weights as torchvision's VGGs begin with, normal with a deviation of 0.01, and biases of 0. A last layer
/// that was factored becomes a whole one. The order of the weights stays, and so do all the other layers.
class NewHeadModel {
  public:
    /// `model` is FP32. Throws Error (usage) for a number of classes that cannot be.
    NewHeadModel(const model::ModelFile& model, const NewHead& head, std::uint64_t seed);
    NewHeadModel(const NewHeadModel&) = delete;
    NewHeadModel& operator=(const NewHeadModel&) = delete;

    /// Refers to the memory of this object.
    const model::ModelFile& file() const { return file_; }
    /// Weight and bias of the new layer. Whoever changes their values changes the model.
    std::span<const Parameter> parameters() const { return parameters_; }
    /// Sets them to what those of the same names among `trained` are.
    void take(std::span<const Parameter> trained);

  private:
    std::vector<std::vector<float>> values_;
    std::vector<Parameter> parameters_;
    model::ModelFile file_;
};

}  // namespace vgg19::converter
