#include "converter/import/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "converter/import/byte_reader.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

std::vector<double> values_of(const Parameter* parameter, const model::MappedFile& mapping, std::size_t count,
                              double otherwise) {
    std::vector<double> values(count, otherwise);
    if (parameter == nullptr) return values;
    const ReadParameter source = read_parameter(*parameter, mapping);
    read_values<double>(source.tensor, mapping, values);
    return values;
}

/// Stored hyper-parameters may have been rounded to float.
bool is_same(double a, double b) {
    constexpr double tolerance = 1e-6;
    return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

[[noreturn]] void refuse(const std::string& file, const std::string& problem) {
    throw Error(ErrorKind::bad_input, file + ": batch norm's epsilon: " + problem);
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

double find_batch_norm_epsilon(const VggTensors& vgg, const std::vector<CheckpointFacts::Epsilon>& said,
                               double wanted, const std::string& file) {
    const auto is_own = [&](const CheckpointFacts::Epsilon& epsilon) {
        if (epsilon.path.starts_with("code/")) return true;  // TorchScript's code
        return std::any_of(vgg.norm_paths.begin(), vgg.norm_paths.end(),
                           [&](const std::string& path) { return is_within(epsilon.path, path); });
    };
    const auto text = [](const CheckpointFacts::Epsilon& epsilon) {
        return shortest_text(epsilon.value) + " under " + printable(epsilon.path);
    };
    const CheckpointFacts::Epsilon* own = nullptr;
    for (const CheckpointFacts::Epsilon& epsilon : said) {
        if (!is_own(epsilon)) continue;
        if (own != nullptr && !is_same(own->value, epsilon.value)) {
            refuse(file, "expected one for all layers, found " + text(*own) + " and " + text(epsilon));
        }
        own = &epsilon;
    }
    if (own != nullptr && wanted != 0 && !is_same(own->value, wanted)) {
        refuse(file, "expected " + text(*own) + ", as the model has it, found --batch-norm-epsilon " +
                         shortest_text(wanted));
    }
    if (wanted != 0) return wanted;
    const double used = own != nullptr ? own->value : default_batch_norm_epsilon;
    for (const CheckpointFacts::Epsilon& epsilon : said) {
        if (is_own(epsilon) || is_same(epsilon.value, used)) continue;
        refuse(file, "found " + text(epsilon) + ", where " + shortest_text(used) +
                         (own != nullptr ? " is the model's own" : " is PyTorch's default") +
                         "; choose one: --batch-norm-epsilon " + shortest_text(epsilon.value) +
                         " or --batch-norm-epsilon " + shortest_text(used));
    }
    return used;
}

void fold_batch_norm(const LayerTensors& layer, double epsilon, const model::MappedFile& mapping,
                     std::span<float> weight, std::span<float> bias) {
    const std::size_t channels = bias.size();
    const BatchNormTensors& norm = *layer.batch_norm;
    const std::vector<double> old_weight = values_of(layer.weight, mapping, weight.size(), 0);
    const std::vector<double> old_bias = values_of(layer.bias, mapping, channels, 0);
    const std::vector<double> factor = values_of(norm.weight, mapping, channels, 1);
    const std::vector<double> offset = values_of(norm.bias, mapping, channels, 0);
    const std::vector<double> mean = values_of(norm.mean, mapping, channels, 0);
    const std::vector<double> variance = values_of(norm.variance, mapping, channels, 1);
    check_variance(norm.variance->values(), variance, mapping);

    const std::size_t filter = weight.size() / channels;
    for (std::size_t o = 0; o < channels; ++o) {
        const double scale = factor[o] / std::sqrt(variance[o] + epsilon);
        for (std::size_t i = o * filter; i < (o + 1) * filter; ++i) {
            weight[i] = static_cast<float>(old_weight[i] * scale);
        }
        bias[o] = static_cast<float>((old_bias[o] - mean[o]) * scale + offset[o]);
    }
}

}  // namespace vgg19::converter
