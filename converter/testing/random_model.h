// For tests: a model with weights that can be read and changed before it is written.
#pragma once

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/testing/narrow_model.h"

namespace vgg19::converter::testing {

class RandomModel {
  public:
    RandomModel(model::Network network, kernels::testing::Random& random)
        : network_(std::move(network)), random_(vgg19::testing::random_tensors(network_, random)) {}

    std::vector<float>& values(const std::string& tensor) {
        for (std::size_t i = 0; i < random_.tensors.size(); ++i) {
            if (random_.tensors[i].name == tensor) return random_.values[i];
        }
        throw std::out_of_range(tensor);
    }

    model::ModelFile write(const std::filesystem::path& path) const { return write(path, random_.tensors); }

    /// Writes the same model with input-major dense weights.
    model::ModelFile write_input_major(const std::filesystem::path& path) const {
        vgg19::testing::RandomTensors copy{random_.values, random_.tensors};
        for (std::size_t i = 0; i < copy.tensors.size(); ++i) {
            copy.tensors[i].bytes = std::as_bytes(std::span(copy.values[i]));
        }
        vgg19::testing::make_input_major(network_, copy);
        return write(path, copy.tensors);
    }

  private:
    model::ModelFile write(const std::filesystem::path& path, std::span<const model::Tensor> tensors) const {
        const model::Description description{network_, {}, "baseline", std::string(64, '0'), {"random"}};
        model::write_model(path, description, tensors);
        return model::ModelFile::open(path);
    }

    model::Network network_;
    vgg19::testing::RandomTensors random_;
};

}  // namespace vgg19::converter::testing
