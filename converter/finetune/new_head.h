// Replaces a model's last dense layer by a new one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converter/finetune/options.h"
#include "converter/finetune/training_network.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The new weights are initialised as in torchvision's VGGs: normal with a deviation of 0.01, biases 0. A
/// factored last layer becomes a plain one. The order of the weights and all other layers stay the same.
class NewHeadModel {
  public:
    /// `model` must be FP32. Throws Error (usage) for an invalid number of classes.
    NewHeadModel(const model::ModelFile& model, const NewHead& head, std::uint64_t seed);
    NewHeadModel(const NewHeadModel&) = delete;
    NewHeadModel& operator=(const NewHeadModel&) = delete;

    /// A view into this object's memory.
    const model::ModelFile& file() const { return file_; }
    /// Weight and bias of the new layer; writing to their values changes the model.
    std::span<const Parameter> parameters() const { return parameters_; }
    /// Copies the values of the parameters with the same names in `trained`.
    void take(std::span<const Parameter> trained);

  private:
    std::vector<std::vector<float>> values_;
    std::vector<Parameter> parameters_;
    model::ModelFile file_;
};

}  // namespace vgg19::converter
