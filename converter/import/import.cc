#include "converter/import/import.h"

#include <algorithm>
#include <cstdint>
#include <future>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/batch_norm.h"
#include "converter/import/names.h"
#include "converter/import/reorder.h"
#include "converter/import/state_dict.h"
#include "engine/model/sha256.h"
#include "kernels/common/aligned_buffer.h"
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

    void add_convolution(const model::ConvolutionLayer& layer, const LayerTensors& source);
    void add_dense(const model::DenseLayer& layer, const LayerTensors& source, model::DenseOrder order);
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    void add(std::string name, std::vector<std::size_t> shape, const StoredTensor& source);
    /// A tensor of this object's own.
    std::span<float> add_new(std::string name, std::vector<std::size_t> shape);

    const model::MappedFile& mapping_;
    std::vector<model::Tensor> tensors_;
    std::vector<kernels::AlignedBuffer> owned_;  // in large pages, which transposing needs to be fast
};

void Weights::add_convolution(const model::ConvolutionLayer& layer, const LayerTensors& source) {
    const std::string weight_name = model::weight_name(layer.name);
    const std::string bias_name = model::bias_name(layer.name);
    const std::vector<std::size_t> weight_shape = {layer.output_channels, layer.input_channels, 3, 3};
    const std::vector<std::size_t> bias_shape = {layer.output_channels};
    if (source.batch_norm.weight == nullptr) {
        add(weight_name, weight_shape, *source.weight);
        add(bias_name, bias_shape, *source.bias);
        return;
    }
    const std::span<float> weight = add_new(weight_name, weight_shape);
    const std::span<float> bias = add_new(bias_name, bias_shape);
    fold_batch_norm(source, mapping_, weight, bias);
}

void Weights::add_dense(const model::DenseLayer& layer, const LayerTensors& source, model::DenseOrder order) {
    const model::TensorShape weight = model::dense_weight(layer, order);
    if (order == model::DenseOrder::output_major) {
        add(weight.name, weight.shape, *source.weight);
    } else {
        read_transposed(*source.weight, mapping_, add_new(weight.name, weight.shape));
    }
    add(model::bias_name(layer.name), {layer.outputs}, *source.bias);
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
    owned_.emplace_back(elements * sizeof(float));
    const std::span<float> values(owned_.back().as<float>(), elements);
    tensor.bytes = std::as_bytes(values);
    return values;
}

/// The tensors beside features.0.weight, without the path that leads there.
std::vector<StoredTensor> without_prefix(const std::vector<StoredTensor>& tensors) {
    constexpr std::string_view first = ".features.0.weight";
    const auto found = std::find_if(tensors.begin(), tensors.end(), [first](const StoredTensor& tensor) {
        return tensor.name.ends_with(first);
    });
    const std::size_t prefix = found == tensors.end() ? 0 : found->name.size() - first.size() + 1;
    if (prefix == 0) return tensors;
    std::vector<StoredTensor> result;
    for (const StoredTensor& tensor : tensors) {
        if (!tensor.name.starts_with(found->name.substr(0, prefix))) continue;
        result.push_back(tensor);
        result.back().name.erase(0, prefix);
    }
    return result;
}

void add_layers(const VggTensors& vgg, const ImportOptions& options, Weights& weights) {
    auto source = vgg.layers.begin();
    for (const model::ConvolutionLayer& layer : vgg.network.convolutions()) {
        weights.add_convolution(layer, *source++);
    }
    for (const model::DenseLayer& layer : vgg.network.dense_layers()) {
        weights.add_dense(layer, *source++, options.dense_order);
    }
}

}  // namespace

void import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                  const ImportOptions& options, const model::Progress& progress) {
    model::require_other_file(input, output);
    const StateDict source = StateDict::open(input);
    if (source.is_model()) {
        return reorder_dense(model::ModelFile::open(input), output, options.dense_order, progress);
    }
    const std::vector<StoredTensor> tensors = without_prefix(source.tensors());
    const VggTensors vgg = recognise_vgg(tensors, input.string());
    std::future<std::string> sha256 = std::async(std::launch::async, file_sha256, input);

    Weights weights(source.mapping());
    add_layers(vgg, options, weights);

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
