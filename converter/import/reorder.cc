#include "converter/import/reorder.h"

#include <vector>

#include "converter/transpose.h"

namespace vgg19::converter {
namespace {

/// The tensors of the output, and the memory of those that are new.
struct Reordered {
    std::vector<model::Tensor> tensors;
    std::vector<kernels::AlignedBuffer> owned;
};

void add_dense(const model::ModelFile& model, const model::DenseLayer& layer, model::DenseOrder order,
               Reordered& result) {
    const model::Tensor& weight = model.weight(layer);
    result.tensors.push_back(model.tensor(model::bias_name(layer.name)));
    const bool int8 = model.is_int8(layer.name);
    if (int8) result.tensors.push_back(model.tensor(model::weight_scale_name(layer.name)));
    if (int8 || model.order(layer) == order) {
        result.tensors.push_back(weight);
        return;
    }
    result.owned.push_back(
        transposed(weight.as<float>(), weight.shape[0], weight.shape[1], model.file().mapping()));
    const model::TensorShape wanted = model::dense_weight(layer, order);
    result.tensors.push_back({wanted.name,
                              model::DType::f32,
                              wanted.shape,
                              {result.owned.back().data(), result.owned.back().size()}});
}

}  // namespace

void reorder_dense(const model::ModelFile& model, const std::filesystem::path& output,
                   model::DenseOrder order, const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    Reordered result;
    for (const model::ConvolutionLayer& layer : model.network().convolutions()) {
        result.tensors.push_back(model.tensor(model::weight_name(layer.name)));
        result.tensors.push_back(model.tensor(model::bias_name(layer.name)));
    }
    for (const model::DenseLayer& layer : model.network().dense_layers()) {
        add_dense(model, layer, order, result);
    }
    model::Description description = model.description();
    description.lineage.emplace_back(order == model::DenseOrder::input_major
                                         ? "convert --dense-order input"
                                         : "convert --dense-order output");
    model::write_model(output, description, result.tensors, progress);
}

}  // namespace vgg19::converter
