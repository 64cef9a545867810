#include "converter/rounding/slice_samples.h"

#include <algorithm>

#include "converter/refit/row_products.h"

namespace vgg19::converter {

namespace {

void append(std::vector<float>& to, std::span<const float> values) {
    to.insert(to.end(), values.begin(), values.end());
}

/// Row `index` of a matrix.
std::span<const float> row(std::span<const float> matrix, std::size_t size, std::size_t index) {
    return matrix.subspan(index * size, size);
}

}  // namespace

SliceSamples::SliceSamples(std::span<const float> exact, std::size_t outputs,
                           const layers::Execution& execution)
    : exact_(exact),
      outputs_(outputs),
      inputs_(exact.size() / outputs),
      execution_(execution),
      equations_(inputs_ + 1, outputs, execution.isa, execution.threads) {}

void SliceSamples::add(const InputSamples& samples) {
    const std::size_t count = samples.held_out.size();
    const std::vector<float> no_offset(outputs_);
    std::vector<float> missing(count * outputs_);
    multiply_rows(execution_, samples.differences, exact_, no_offset, missing);
    std::vector<float> rows;
    std::vector<float> targets;
    std::vector<float> held_inputs;
    const std::size_t held_before = held_missing_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto of_row = row(samples.rows, inputs_ + 1, i);
        const auto of_target = row(missing, outputs_, i);
        append(samples.held_out[i] ? held_rows_ : rows, of_row);
        append(samples.held_out[i] ? held_missing_ : targets, of_target);
        if (samples.held_out[i]) append(held_inputs, of_row.first(inputs_));
    }
    equations_.add(rows, targets);
    if (held_inputs.empty()) return;
    std::vector<float> expected(held_missing_.size() - held_before);
    multiply_rows(execution_, held_inputs, exact_, no_offset, expected);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += held_missing_[held_before + i];
    norm_ += squared_sum(expected);
}

std::vector<float> SliceSamples::best_bias_changes(const SliceWeights& weights) const {
    const auto samples = static_cast<double>(std::max<std::size_t>(equations_.samples(), 1));
    std::vector<float> changes;
    for (std::size_t i = 0; i < weights.outputs.size(); ++i) {
        double missing = equations_.product(inputs_, weights.outputs[i]);
        const auto change = row(weights.changes, inputs_, i);
        for (std::size_t input = 0; input < inputs_; ++input) {
            missing -= static_cast<double>(change[input]) * equations_.moment(inputs_, input);
        }
        changes.push_back(static_cast<float>(missing / samples));
    }
    return changes;
}

double SliceSamples::error(const SliceWeights& weights) const {
    if (held_rows_.empty()) return 0;
    const std::size_t count = weights.outputs.size();
    std::vector<float> with_bias;
    with_bias.reserve(count * (inputs_ + 1));
    for (std::size_t i = 0; i < count; ++i) {
        append(with_bias, row(weights.changes, inputs_, i));
        with_bias.push_back(weights.bias_changes[i]);
    }
    const std::vector<float> no_offset(count);
    std::vector<float> found(held_out() * count);
    multiply_rows(execution_, held_rows_, with_bias, no_offset, found);
    for (std::size_t sample = 0; sample < held_out(); ++sample) {
        for (std::size_t i = 0; i < count; ++i) {
            found[sample * count + i] -= held_missing_[sample * outputs_ + weights.outputs[i]];
        }
    }
    return squared_sum(found);
}

}  // namespace vgg19::converter
