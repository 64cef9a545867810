#include "converter/rounding/layer_weights.h"

#include <algorithm>
#include <array>

#include "converter/transpose.h"
#include "engine/model/network.h"
#include "kernels/common/float16.h"
#include "kernels/common/parallel.h"
#include "kernels/dense/dense.h"

namespace vgg19::converter {

namespace {

using kernels::int4_group;
using kernels::int4_group_bytes;

/// The level of one output in a packed group.
int int4_level(const std::uint8_t* packed, std::size_t output) {
    const unsigned byte = packed[output % int4_group_bytes];
    const unsigned half = output < int4_group_bytes ? byte & 0xFU : byte >> 4U;
    return static_cast<int>(half) - kernels::int4_offset;
}

}  // namespace

std::vector<float> ExactWeights::slice(std::size_t first, std::size_t count) const {
    std::vector<float> result(outputs * count);
    kernels::parallel_for(kernels::available_cpus(), outputs, [&](std::size_t output) {
        float* to = &result[output * count];
        if (!input_major) {
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(output * inputs + first), count, to);
            return;
        }
        const float* from = values.data() + first * outputs + output;
        for (std::size_t i = 0; i < count; ++i) to[i] = from[i * outputs];
    });
    return result;
}

std::vector<float> RoundableInt8::slice(std::size_t first, std::size_t count) const {
    std::vector<float> result(weights_.outputs * count);
    kernels::parallel_for(kernels::available_cpus(), weights_.outputs, [&](std::size_t output) {
        for (std::size_t i = 0; i < count; ++i) {
            result[output * count + i] = weights_.scales[output] * static_cast<float>(at(output, first + i));
        }
    });
    return result;
}

RoundedSlice RoundableInt8::round(const QuadraticError& error, std::span<const float> wanted,
                                  std::span<const std::size_t> outputs, int threads) const {
    std::vector<float> scales;
    for (const std::size_t output : outputs) scales.push_back(weights_.scales[output]);
    RoundedRows rows = round_rows(error, wanted, {largest_weight(bits_), scales, fixed_scales_}, threads);
    RoundedSlice result = {std::move(rows.values), std::move(rows.scales), {}, {}};
    result.values.resize(result.levels.size());
    const std::size_t inputs = error.inputs();
    for (std::size_t i = 0; i < result.levels.size(); ++i) {
        result.values[i] = result.scales[i / inputs] * static_cast<float>(result.levels[i]);
    }
    return result;
}

void RoundableInt8::store(std::size_t first, const RoundedSlice& rounded) {
    const std::size_t count = rounded.levels.size() / weights_.outputs;
    for (std::size_t output = 0; output < weights_.outputs; ++output) {
        for (std::size_t i = 0; i < count; ++i) at(output, first + i) = rounded.levels[output * count + i];
    }
    weights_.scales = rounded.scales;
}

RoundableInt4::RoundableInt4(Int4Weights& weights, std::size_t outputs)
    : weights_(weights), outputs_(outputs), groups_((outputs + int4_group - 1) / int4_group) {}

std::vector<float> RoundableInt4::slice(std::size_t first, std::size_t count) const {
    std::vector<float> result(outputs_ * count);
    kernels::parallel_for(kernels::available_cpus(), outputs_, [&](std::size_t output) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t place = (first + i) * groups_ + output / int4_group;
            const int level = int4_level(&weights_.values[place * int4_group_bytes], output % int4_group);
            result[output * count + i] =
                kernels::float16_value(weights_.scales[place]) * static_cast<float>(level);
        }
    });
    return result;
}

RoundedSlice RoundableInt4::round(const QuadraticError& error, std::span<const float> wanted,
                                  std::span<const std::size_t> outputs, int threads) const {
    RoundedGroups rows = round_groups(error, wanted, threads);
    RoundedSlice result = {std::move(rows.values), {}, std::move(rows.scales), {}};
    result.values.resize(result.levels.size());
    const std::size_t inputs = error.inputs();
    const std::size_t groups = (outputs.size() + int4_group - 1) / int4_group;
    for (std::size_t i = 0; i < result.levels.size(); ++i) {
        const std::size_t place = i % inputs * groups + i / inputs / int4_group;
        result.values[i] =
            kernels::float16_value(result.int4_scales[place]) * static_cast<float>(result.levels[i]);
    }
    return result;
}

void RoundableInt4::store(std::size_t first, const RoundedSlice& rounded) {
    const std::size_t count = rounded.levels.size() / outputs_;
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t group = 0; group < groups_; ++group) {
            std::array<std::int8_t, int4_group> levels{};
            for (std::size_t lane = 0; lane < int4_group; ++lane) {
                const std::size_t output = group * int4_group + lane;
                if (output < outputs_) levels[lane] = rounded.levels[output * count + i];
            }
            const std::size_t place = (first + i) * groups_ + group;
            weights_.scales[place] = rounded.int4_scales[i * groups_ + group];
            pack_group(levels, &weights_.values[place * int4_group_bytes]);
        }
    }
}

}  // namespace vgg19::converter
