#include "converter/import/import.h"

#include <algorithm>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/batch_norm.h"
#include "converter/import/names.h"
#include "converter/import/state_dict.h"
#include "engine/model/sha256.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// Reads through a mapping of its own, whose pages it lets go as it passes: the file is not in memory twice.
std::string file_sha256(const std::filesystem::path& path) {
    constexpr std::size_t piece_bytes = std::size_t{4} << 20U;
    const model::MappedFile file(path);
    model::Sha256 hash;
    std::span<const std::byte> rest = file.bytes();
    while (!rest.empty()) {
        const std::span<const std::byte> piece = rest.first(std::min(piece_bytes, rest.size()));
        hash.update(piece);
        file.release(piece);
        rest = rest.subspan(piece.size());
    }
    return hash.hex_digest();
}

/// The tensors of the model, in the memory of the source file as far as they can be used there.
class Weights {
  public:
    explicit Weights(const model::MappedFile& mapping) : mapping_(mapping) {}

    void add_layer(const std::string& name, const std::vector<std::size_t>& weight_shape,
                   const LayerTensors& layer);
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    void add(std::string name, std::vector<std::size_t> shape, const StoredTensor& source);
    /// An uninitialised tensor of this object's own.
    std::span<float> add_new(std::string name, std::vector<std::size_t> shape);

    const model::MappedFile& mapping_;
    std::vector<model::Tensor> tensors_;
    std::vector<std::unique_ptr<float[]>> owned_;
};

void Weights::add_layer(const std::string& name, const std::vector<std::size_t>& weight_shape,
                        const LayerTensors& layer) {
    const std::vector<std::size_t> bias_shape = {weight_shape[0]};
    if (layer.batch_norm.weight == nullptr) {
        add(model::weight_name(name), weight_shape, *layer.weight);
        add(model::bias_name(name), bias_shape, *layer.bias);
        return;
    }
    const std::span<float> weight = add_new(model::weight_name(name), weight_shape);
    const std::span<float> bias = add_new(model::bias_name(name), bias_shape);
    fold_batch_norm(layer, mapping_, weight, bias);
}

void Weights::add(std::string name, std::vector<std::size_t> shape, const StoredTensor& source) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(source.bytes.data()) % alignof(float) == 0;
    if (source.dtype == model::DType::f32 && source.contiguous() && aligned) {
        const std::span<const std::byte> bytes = source.bytes.first(source.elements() * sizeof(float));
        tensors_.push_back({std::move(name), model::DType::f32, std::move(shape), bytes});
    } else {
        read_values(source, mapping_, add_new(std::move(name), std::move(shape)));
    }
}

std::span<float> Weights::add_new(std::string name, std::vector<std::size_t> shape) {
    model::Tensor& tensor = tensors_.emplace_back(model::Tensor{
        .name = std::move(name), .dtype = model::DType::f32, .shape = std::move(shape), .bytes = {}});
    const std::size_t elements = tensor.elements();
    owned_.push_back(std::make_unique_for_overwrite<float[]>(elements));
    const std::span<float> values(owned_.back().get(), elements);
    tensor.bytes = std::as_bytes(values);
    return values;
}

void add_layers(const VggTensors& vgg, Weights& weights) {
    auto layer = vgg.layers.begin();
    for (const model::ConvolutionLayer& convolution : vgg.network.convolutions()) {
        weights.add_layer(convolution.name, {convolution.output_channels, convolution.input_channels, 3, 3},
                          *layer++);
    }
    for (const model::DenseLayer& dense : vgg.network.dense_layers()) {
        weights.add_layer(dense.name, {dense.outputs, dense.inputs}, *layer++);
    }
}

}  // namespace

void import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                  const model::Progress& progress) {
    model::require_other_file(input, output);
    const StateDict source = StateDict::open(input);
    const VggTensors vgg = recognise_vgg(source.tensors(), input.string());
    std::future<std::string> sha256 = std::async(std::launch::async, file_sha256, input);

    Weights weights(source.mapping());
    add_layers(vgg, weights);

    const std::string step = "convert " + input.filename().string();
    const model::Description description = {
        .network = vgg.network,
        .preprocessing = {},
        .variant = "baseline",
        .source_sha256 = sha256.get(),
        .lineage = {vgg.batch_norm ? step + " (batch norm folded)" : step}};
    try {
        model::write_model(output, description, weights.tensors(), progress);
    } catch (const Error& error) {
        // What is wrong with the weights is wrong with the file that they came from.
        if (error.kind() != ErrorKind::bad_input) throw;
        throw Error(error.kind(), input.string() + ": cannot be converted: " + error.what());
    }
}

}  // namespace vgg19::converter
