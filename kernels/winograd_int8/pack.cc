// Transforms and quantises filters, in the same way for every kernel.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/transform_filter.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

namespace {

constexpr int largest_filter = 127;

/// The output channels that are packed together: their quads fill a cache line.
constexpr std::size_t lanes_together = WinogradInt8::group_channels / 2;

/// The transformed filters of some output channels, times transformed_filter_unit, which fit 16 bits.
class TransformedFilters {
  public:
    explicit TransformedFilters(const WinogradInt8& problem)
        : tile_(problem.tile),
          input_channels_(problem.input_channels),
          row_(blocks_of(problem.input_channels, width) * width + line),
          lane_(problem.positions() * row_),
          values_(lanes_together * lane_) {}

    /// The filters of an output channel, from [input_channels][3][3].
    void transform(std::size_t lane, const std::int8_t* weights) {
        std::int16_t* place = values_.data() + lane * lane_;
        for (std::size_t channel = 0; channel < input_channels_; channel += width, place += width) {
            const Filter<Words> filters = load(weights + channel * taps, input_channels_ - channel);
            if (tile_ == WinogradInt8Tile::f2x2) {
                store(transformed_filter_f2x2(filters), place);
            } else {
                store(transformed_filter_f4x4(filters), place);
            }
        }
    }

    /// Of all input channels.
    std::span<const std::int16_t> of(std::size_t lane, std::size_t position) const {
        return {values_.data() + lane * lane_ + position * row_, input_channels_};
    }

  private:
    static constexpr std::size_t width = 8;
    static constexpr std::size_t taps = 9;
    static constexpr std::size_t line = 64 / sizeof(std::int16_t);
    using Words = std::int16_t __attribute__((vector_size(width * sizeof(std::int16_t))));

    /// The filters of `width` input channels, or fewer and zeros.
    static Filter<Words> load(const std::int8_t* weights, std::size_t channels) {
        Filter<Words> filters{};
        for (std::size_t channel = 0; channel < std::min(channels, width); ++channel, weights += taps) {
            Filter<std::int16_t> filter{};
            std::copy_n(weights, taps, filter.begin());
            for (std::size_t tap = 0; tap < taps; ++tap) filters[tap][channel] = filter[tap];
        }
        return filters;
    }

    template <std::size_t positions>
    void store(const std::array<Words, positions>& filters, std::int16_t* place) const {
        for (std::size_t position = 0; position < positions; ++position) {
            std::memcpy(place + position * row_, &filters[position], sizeof(Words));
        }
    }

    WinogradInt8Tile tile_;
    std::size_t input_channels_;
    std::size_t
        row_;  ///< a position's values of an output channel, and a line that avoids cache-set conflicts
    std::size_t lane_;  ///< all values of an output channel
    std::vector<std::int16_t> values_;
};

std::int32_t largest_magnitude(std::span<const std::int16_t> values) {
    std::int16_t least = 0;
    std::int16_t largest = 0;
    for (const std::int16_t value : values) {
        least = std::min(least, value);
        largest = std::max(largest, value);
    }
    return std::max<std::int32_t>(largest, -std::int32_t{least});
}

/// Writes u of one position and output channel; returns its sum.
std::int32_t quantise(std::span<const std::int16_t> values, std::int32_t largest, std::int8_t* u) {
    // round(127 · w / largest), halves away from zero: numerator and denominator are exact floats, and a
    // quotient that is not an integer is too far from one to be rounded to it.
    const auto denominator = static_cast<float>(2 * largest);
    std::int32_t sum = 0;
    for (std::size_t channel = 0; channel < values.size(); ++channel) {
        const std::int32_t w = values[channel];
        const auto numerator = static_cast<float>(2 * largest_filter * w + (w < 0 ? -largest : largest));
        const auto quotient = static_cast<std::int32_t>(numerator / denominator);
        u[channel] = static_cast<std::int8_t>(quotient);
        sum += quotient;
    }
    return sum;
}

/// Packs the filters of a thread's output channels.
class Packer {
  public:
    Packer(const WinogradInt8& problem, const std::int8_t* weights, const float* weight_scale,
           std::int8_t* packed, float* filter_scale)
        : problem_(problem),
          weights_(weights),
          weight_scale_(weight_scale),
          packed_(packed),
          filter_scale_(filter_scale),
          transformed_(problem),
          u_(lanes_together * row_bytes()) {}

    /// The output channels of a group from `first_lane` on.
    void pack(std::size_t group, std::size_t first_lane) {
        const std::size_t first = group * WinogradInt8::group_channels + first_lane;
        const std::size_t channels =
            first < problem_.output_channels ? std::min(problem_.output_channels - first, lanes_together) : 0;
        for (std::size_t lane = 0; lane < channels; ++lane) {
            transformed_.transform(lane, weights_ + (first + lane) * problem_.input_channels * 9);
        }
        std::fill(u_.begin() + static_cast<std::ptrdiff_t>(channels * row_bytes()), u_.end(), std::int8_t{0});
        for (std::size_t position = 0; position < problem_.positions(); ++position) {
            pack(group, first_lane, position, channels);
        }
    }

  private:
    std::size_t row_bytes() const { return problem_.input_quads() * WinogradInt8::quad; }

    void pack(std::size_t group, std::size_t first_lane, std::size_t position, std::size_t channels) {
        const auto unit = static_cast<float>(transformed_filter_unit(problem_.tile) * largest_filter);
        const std::size_t first = group * WinogradInt8::group_channels + first_lane;
        std::array<std::int32_t, lanes_together> starts{};
        for (std::size_t lane = 0; lane < channels; ++lane) {
            const std::span<const std::int16_t> values = transformed_.of(lane, position);
            const std::int32_t largest = largest_magnitude(values);
            std::int8_t* const row = u_.data() + lane * row_bytes();
            if (largest == 0) {
                std::fill_n(row, values.size(), std::int8_t{0});
            } else {
                starts[lane] =
                    -std::int32_t{winograd_int8_zero_point(position)} * quantise(values, largest, row);
            }
            filter_scale_[position * problem_.padded_output_channels() + first + lane] =
                weight_scale_[first + lane] * static_cast<float>(largest) / unit;
        }
        std::int8_t* const place = packed_ + problem_.packed_group(group) +
                                   position * problem_.packed_position_size(group) +
                                   first_lane * WinogradInt8::quad;
        std::memcpy(place, starts.data(), sizeof(starts));
        const std::size_t line = problem_.group_lanes(group) * WinogradInt8::quad;
        for (std::size_t quad = 0; quad < problem_.input_quads(); ++quad) {
            store_quads(quad, place + (1 + quad) * line);
        }
    }

    /// From [lane][quad][4].
    void store_quads(std::size_t quad, std::int8_t* place) const {
        const std::int8_t* source = u_.data() + quad * WinogradInt8::quad;
        for (std::size_t lane = 0; lane < lanes_together; ++lane) {
            std::memcpy(place + lane * WinogradInt8::quad, source + lane * row_bytes(), WinogradInt8::quad);
        }
    }

    const WinogradInt8& problem_;
    const std::int8_t* weights_;
    const float* weight_scale_;
    std::int8_t* packed_;
    float* filter_scale_;
    TransformedFilters transformed_;
    std::vector<std::int8_t> u_;  ///< of a position: [lane][input channel], padded to quads with zeros
};

}  // namespace

void winograd_int8_pack(const WinogradInt8& problem, int threads, const std::int8_t* weights,
                        const float* weight_scale, std::int8_t* packed, float* filter_scale) {
    std::fill_n(filter_scale, problem.positions() * problem.padded_output_channels(), 0.0F);
    std::vector<Packer> packers(static_cast<std::size_t>(threads),
                                Packer(problem, weights, weight_scale, packed, filter_scale));
    constexpr std::size_t parts = WinogradInt8::group_channels / lanes_together;
    parallel_workers(threads, problem.groups() * parts, [&](std::size_t worker, std::size_t task) {
        const std::size_t group = task / parts;
        const std::size_t first_lane = task % parts * lanes_together;
        if (first_lane < problem.group_lanes(group)) packers[worker].pack(group, first_lane);
    });
}

}  // namespace vgg19::kernels
