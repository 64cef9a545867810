// For tests: a small model in memory that can be modified before it is written.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/description.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/random.h"

namespace vgg19::model::testing {

/// A VGG-11 with so few channels that the header is most of the file.
inline Network tiny_network() {
    return Network::parse("2 M 3 M 2 2 M 2 2 M 1 2 M", "4 3 5");
}

inline Description description_of(const Network& network) {
    return {network, {}, "baseline", std::string(64, 'a'), {"convert vgg19.pth", "prune --ratio 0.1"}};
}

/// A model in memory, and a temporary folder for its file.
class Fixture {
  public:
    explicit Fixture(const Network& network = tiny_network()) : description_(description_of(network)) {
        made_ = vgg19::testing::random_tensors(network, random_);
    }

    std::vector<Tensor>& tensors() { return made_.tensors; }
    Tensor& tensor(const std::string& name) {
        return *std::find_if(tensors().begin(), tensors().end(),
                             [&](const Tensor& t) { return t.name == name; });
    }
    /// The values of a weight or bias.
    std::vector<float>& values(const std::string& name) {
        const auto holds = [bytes = tensor(name).bytes](const std::vector<float>& values) {
            return std::as_bytes(std::span(values)).data() == bytes.data();
        };
        return *std::find_if(made_.values.begin(), made_.values.end(), holds);
    }
    void remove(const std::string& name) {
        std::erase_if(tensors(), [&](const Tensor& t) { return t.name == name; });
    }
    /// A tensor that owns its bytes, each of which is `fill`.
    Tensor& add(const std::string& name, DType dtype, const std::vector<std::size_t>& shape, int fill) {
        Tensor tensor{name, dtype, shape, {}};
        const std::size_t bytes = tensor.elements() * dtype_bytes(dtype);
        memory_.emplace_back(bytes, static_cast<std::byte>(fill));
        tensor.bytes = memory_.back();
        return tensors().emplace_back(std::move(tensor));
    }
    void add_floats(const std::string& name, const std::vector<float>& values) {
        Tensor& tensor = add(name, DType::f32, {values.size()}, 0);
        std::memcpy(memory_.back().data(), values.data(), tensor.bytes.size());
    }
    /// Gives the same bytes the name and shape of the input-major order.
    void make_input_major(const DenseLayer& layer) {
        const TensorShape transposed = dense_weight(layer, DenseOrder::input_major);
        Tensor& weight = tensor(weight_name(layer.name));
        weight.name = transposed.name;
        weight.shape = transposed.shape;
    }
    void make_int8(const std::string& layer, float scale) {
        const std::vector<std::size_t> shape = tensor(weight_name(layer)).shape;
        remove(weight_name(layer));
        add(weight_name(layer), DType::i8, shape, 0x81);
        scales_.assign(shape[0], scale);
        tensors().push_back(
            {weight_scale_name(layer), DType::f32, {shape[0]}, std::as_bytes(std::span(scales_))});
    }

    Description& description() { return description_; }
    std::filesystem::path path() const { return folder_ / "m.safetensors"; }
    const vgg19::testing::TemporaryFolder& folder() const { return folder_; }
    void write() { write_model(path(), description_, tensors()); }
    std::string write_error() {
        return vgg19::testing::error_of(ErrorKind::bad_input, [this] { write(); });
    }
    /// Skips the writer's checks.
    std::string open_error(const std::function<void(Metadata&)>& change) {
        Metadata metadata = metadata_from_description(description_);
        change(metadata);
        write_safetensors(path(), metadata, tensors());
        return vgg19::testing::error_of(ErrorKind::bad_input, [this] { ModelFile::open(path()); });
    }
    std::string replay() const { return random_.replay(); }
    kernels::testing::Random& random() { return random_; }

  private:
    kernels::testing::Random random_;
    vgg19::testing::TemporaryFolder folder_;
    Description description_;
    vgg19::testing::RandomTensors made_;
    std::vector<std::vector<std::byte>> memory_;
    std::vector<float> scales_;
};

}  // namespace vgg19::model::testing
