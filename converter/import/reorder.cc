#include "converter/import/reorder.h"

#include <set>
#include <string>
#include <vector>

#include "converter/lineage.h"
#include "converter/transpose.h"

namespace vgg19::converter {
namespace {

/// The output's tensors, and the memory of the new ones.
struct Reordered {
    std::vector<model::Tensor> tensors;
    std::vector<kernels::AlignedBuffer> owned;
};

template <class T>
void add_transposed(const model::ModelFile& model, const model::Tensor& weight,
                    const model::TensorShape& wanted, Reordered& result) {
    const kernels::AlignedBuffer& transposed_weight = result.owned.emplace_back(
        transposed(weight.as<T>(), weight.shape[0], weight.shape[1], model.file().mapping()));
    result.tensors.push_back(
        {wanted.name, weight.dtype, wanted.shape, {transposed_weight.data(), transposed_weight.size()}});
}

void add_dense(const model::ModelFile& model, const model::DenseLayer& layer, model::DenseOrder order,
               Reordered& result) {
    const model::Tensor& weight = model.weight(layer);
    const model::TensorShape wanted = model::dense_weight(layer, order);
    if (model.order(layer) == order || model.is_int4(layer.name)) {
        result.tensors.push_back(weight);
    } else if (model.is_int8(layer.name)) {
        add_transposed<std::int8_t>(model, weight, wanted, result);
    } else {
        add_transposed<float>(model, weight, wanted, result);
    }
}

}  // namespace

void change_model(const model::ModelFile& model, const model::Destination& output,
                  std::optional<model::DenseOrder> order, const model::Description& description,
                  const model::Progress& progress) {
    model::require_other_file(model.path(), output.path);
    Reordered result;
    std::set<std::string_view> dense_weights;
    for (const model::DenseLayer& layer : model.network().dense_layers()) {
        dense_weights.insert(model.weight(layer).name);
        add_dense(model, layer, order.value_or(model.order(layer)), result);
    }
    for (const model::Tensor& tensor : model.tensors()) {
        if (!dense_weights.contains(tensor.name)) result.tensors.push_back(tensor);
    }
    model::write_model(output, description, result.tensors, progress, model.file().mapping());
}

void reorder_dense(const model::ModelFile& model, const model::Destination& output, model::DenseOrder order,
                   const model::Progress& progress) {
    model::Description description = model.description();
    description.lineage.push_back(surgery_name(Surgery::convert) + std::string(" ") +
                                  dense_order_option(order));
    change_model(model, output, order, description, progress);
}

const char* dense_order_option(model::DenseOrder order) {
    return order == model::DenseOrder::input_major ? "--dense-order input" : "--dense-order output";
}

}  // namespace vgg19::converter
