// Transforms and quantises filters, in the same way for every kernel.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/transform_filter.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

namespace {

constexpr int largest_filter = 127;

/// The transformed filters of one output channel, times transformed_filter_unit: [position][input channel].
class TransformedFilters {
  public:
    /// `values` has size() elements.
    TransformedFilters(const WinogradInt8& problem, std::int16_t* values)
        : tile_(problem.tile), input_channels_(problem.input_channels), values_(values) {}
    static std::size_t size(const WinogradInt8& problem) {
        return problem.positions() * problem.input_channels;
    }

    /// From [input_channels][3][3].
    void transform(const std::int8_t* weights) {
        for (std::size_t channel = 0; channel < input_channels_; ++channel, weights += 9) {
            if (tile_ == WinogradInt8Tile::f2x2) {
                set(channel, transformed_filter_f2x2(weights));
            } else {
                set(channel, transformed_filter_f4x4(weights));
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
    template <std::size_t positions>
    void set(std::size_t channel, const std::array<std::int32_t, positions>& filter) {
        for (std::size_t position = 0; position < positions; ++position) {
            values_[position * input_channels_ + channel] = static_cast<std::int16_t>(filter[position]);
        }
    }

    WinogradInt8Tile tile_;
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
    const std::size_t positions = problem.positions();
    const auto unit = static_cast<float>(transformed_filter_unit(problem.tile) * largest_filter);
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
                weight_scale[first + lane] * static_cast<float>(largest) / unit;
        }
    }
}

}  // namespace

void winograd_int8_pack(const WinogradInt8& problem, int threads, const std::int8_t* weights,
                        const float* weight_scale, std::int8_t* packed, float* filter_scale) {
    std::fill_n(filter_scale, problem.positions() * problem.padded_output_channels(), 0.0F);
    const std::size_t size = TransformedFilters::size(problem);
    std::vector<std::int16_t> transformed(static_cast<std::size_t>(threads) * size);
    parallel_workers(threads, problem.groups(), [&](std::size_t worker, std::size_t group) {
        const TransformedFilters filters(problem, transformed.data() + worker * size);
        pack_group(problem, group, weights, weight_scale, filters, packed, filter_scale);
    });
}

}  // namespace vgg19::kernels
