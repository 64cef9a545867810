#include "converter/import/batch_norm.h"

#include <cmath>
#include <string>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

std::vector<double> values_of(const StoredTensor& tensor, const model::MappedFile& mapping) {
    std::vector<double> values(tensor.elements());
    read_values<double>(tensor, mapping, values);
    return values;
}

void check_variance(const StoredTensor& tensor, const std::vector<double>& values,
                    const model::MappedFile& mapping) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= 0) continue;
        throw Error(ErrorKind::bad_input, mapping.path().string() + ": " + printable(tensor.name) +
                                              ": element " + std::to_string(i) +
                                              ": expected a variance, found " + std::to_string(values[i]));
    }
}

}  // namespace

void fold_batch_norm(const LayerTensors& layer, const model::MappedFile& mapping, std::span<float> weight,
                     std::span<float> bias) {
    const std::vector<double> old_weight = values_of(*layer.weight, mapping);
    const std::vector<double> old_bias = values_of(*layer.bias, mapping);
    const std::vector<double> factor = values_of(*layer.batch_norm.weight, mapping);
    const std::vector<double> offset = values_of(*layer.batch_norm.bias, mapping);
    const std::vector<double> mean = values_of(*layer.batch_norm.mean, mapping);
    const std::vector<double> variance = values_of(*layer.batch_norm.variance, mapping);
    check_variance(*layer.batch_norm.variance, variance, mapping);

    const std::size_t filter = weight.size() / bias.size();
    for (std::size_t o = 0; o < bias.size(); ++o) {
        const double scale = factor[o] / std::sqrt(variance[o] + batch_norm_epsilon);
        for (std::size_t i = o * filter; i < (o + 1) * filter; ++i) {
            weight[i] = static_cast<float>(old_weight[i] * scale);
        }
        bias[o] = static_cast<float>((old_bias[o] - mean[o]) * scale + offset[o]);
    }
}

}  // namespace vgg19::converter
