// Transforms and quantises filters, in the same way for every kernel.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t positions = winograd_int8_positions;
constexpr int largest_filter = 127;

/// One dimension of 2 G g: the factor 2 keeps all values integers.
std::array<std::int32_t, 4> twice_transformed(std::int32_t g0, std::int32_t g1, std::int32_t g2) {
    return {2 * g0, g0 + g1 + g2, g0 - g1 + g2, 2 * g2};
}

/// The transformed filters of one output channel, times 4: [position][input channel], each at most 9 · 128.
class TransformedFilters {
  public:
    /// `values` has size(input_channels) elements.
    TransformedFilters(std::size_t input_channels, std::int16_t* values)
        : input_channels_(input_channels), values_(values) {}
    static std::size_t size(std::size_t input_channels) { return positions * input_channels; }

    /// From [input_channels][3][3].
    void transform(const std::int8_t* weights) {
        for (std::size_t channel = 0; channel < input_channels_; ++channel, weights += 9) {
            std::array<std::array<std::int32_t, 4>, 3> columns{};
            for (std::size_t j = 0; j < 3; ++j) {
                columns[j] = twice_transformed(weights[j], weights[3 + j], weights[6 + j]);
            }
            for (std::size_t i = 0; i < 4; ++i) {
                const auto row = twice_transformed(columns[0][i], columns[1][i], columns[2][i]);
                for (std::size_t j = 0; j < 4; ++j) {
                    values_[(i * 4 + j) * input_channels_ + channel] = static_cast<std::int16_t>(row[j]);
                }
            }
        }
    }

    const std::int16_t* of(std::size_t position) const { return values_ + position * input_channels_; }

    std::int32_t largest(std::size_t position) const {
        std::int32_t found = 0;
        for (std::size_t channel = 0; channel < input_channels_; ++channel) {
            found = std::max(found, std::abs(std::int32_t{of(position)[channel]}));
        }
        return found;
    }

  private:
    std::size_t input_channels_;
    std::int16_t* values_;
};

/// Writes u for one position and output channel to packed[quad][lane][4]; returns its sum.
std::int32_t quantise(const std::int16_t* values, std::int32_t largest, std::size_t input_channels,
                      std::size_t lanes, std::int8_t* packed) {
    if (largest == 0) return 0;
    // round(127 · |w| / largest), halves up: numerator and denominator are exact floats, and a quotient that
    // is not an integer is too far from one to be rounded to it.
    const auto denominator = static_cast<float>(2 * largest);
    std::int32_t sum = 0;
    for (std::size_t channel = 0; channel < input_channels; ++channel) {
        const std::int32_t w = values[channel];
        const auto numerator = static_cast<float>(2 * largest_filter * std::abs(w) + largest);
        const auto magnitude = static_cast<std::int32_t>(numerator / denominator);
        const std::int32_t u = w < 0 ? -magnitude : magnitude;
        packed[channel / WinogradInt8::quad * lanes * WinogradInt8::quad + channel % WinogradInt8::quad] =
            static_cast<std::int8_t>(u);
        sum += u;
    }
    return sum;
}

void pack_group(const WinogradInt8& problem, std::size_t group, const std::int8_t* weights,
                const float* weight_scale, TransformedFilters filters, std::int8_t* packed,
                float* filter_scale) {
    const std::size_t lanes = problem.group_lanes(group);
    const std::size_t first = group * WinogradInt8::group_channels;
    std::int8_t* target = packed + problem.packed_group(group);
    std::fill_n(target, positions * problem.packed_position_size(group), std::int8_t{0});
    const std::size_t channels = std::min(lanes, problem.output_channels - first);
    for (std::size_t lane = 0; lane < channels; ++lane) {
        filters.transform(weights + (first + lane) * problem.input_channels * 9);
        for (std::size_t position = 0; position < positions; ++position) {
            std::int8_t* place = target + position * problem.packed_position_size(group);
            const std::int32_t largest = filters.largest(position);
            const std::int32_t sum = quantise(filters.of(position), largest, problem.input_channels, lanes,
                                              place + (lanes + lane) * WinogradInt8::quad);
            reinterpret_cast<std::int32_t*>(place)[lane] =
                -std::int32_t{winograd_int8_zero_point(position)} * sum;
            filter_scale[position * problem.padded_output_channels() + first + lane] =
                weight_scale[first + lane] * static_cast<float>(largest) / (4.0F * largest_filter);
        }
    }
}

}  // namespace

void winograd_int8_pack(const WinogradInt8& problem, int threads, const std::int8_t* weights,
                        const float* weight_scale, std::int8_t* packed, float* filter_scale) {
    std::fill_n(filter_scale, positions * problem.padded_output_channels(), 0.0F);
    const std::size_t size = TransformedFilters::size(problem.input_channels);
    std::vector<std::int16_t> transformed(static_cast<std::size_t>(threads) * size);
    parallel_workers(threads, problem.groups(), [&](std::size_t worker, std::size_t group) {
        const TransformedFilters filters(problem.input_channels, transformed.data() + worker * size);
        pack_group(problem, group, weights, weight_scale, filters, packed, filter_scale);
    });
}

}  // namespace vgg19::kernels
