#include "converter/quantize/tile_error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t taps = 9;
constexpr std::size_t most_outputs = 64;

/// The output channels to compute, `stride` apart.
struct Outputs {
    explicit Outputs(std::size_t all)
        : stride(kernels::blocks_of(all, most_outputs)), count(kernels::blocks_of(all, stride)) {}
    std::size_t stride;
    std::size_t count;
};

/// The transforms of all filters: [position][input channel][output], so that the weights of a pixel are
/// contiguous.
template <class Points>
class Filters {
  public:
    Filters(std::size_t channels, std::size_t outputs)
        : channels_(channels), outputs_(outputs), values_(Points::positions * channels * outputs) {}

    float* row(std::size_t position, std::size_t channel) {
        return &values_[(position * channels_ + channel) * outputs_];
    }
    const float* row(std::size_t position, std::size_t channel) const {
        return &values_[(position * channels_ + channel) * outputs_];
    }
    void set(std::size_t channel, std::size_t output, const float* filter) {
        const auto values = Points::filter(filter);
        for (std::size_t p = 0; p < Points::positions; ++p) row(p, channel)[output] = values[p];
    }

    /// Rounds as in the packed weights: the largest weight of each position and output becomes 127.
    void quantize() {
        for (std::size_t p = 0; p < Points::positions; ++p) {
            for (std::size_t output = 0; output < outputs_; ++output) {
                float largest = 0;
                for (std::size_t c = 0; c < channels_; ++c) {
                    largest = std::max(largest, std::abs(row(p, c)[output]));
                }
                if (largest == 0) continue;
                const float scale = largest / 127;
                for (std::size_t c = 0; c < channels_; ++c) {
                    float& value = row(p, c)[output];
                    value = std::nearbyint(value / scale) * scale;
                }
            }
        }
    }

  private:
    std::size_t channels_;
    std::size_t outputs_;
    std::vector<float> values_;
};

template <class Points>
Filters<Points> float_filters(std::span<const float> weights, std::size_t channels, const Outputs& outputs) {
    Filters<Points> filters(channels, outputs.count);
    for (std::size_t o = 0; o < outputs.count; ++o) {
        const float* filter = &weights[o * outputs.stride * channels * taps];
        for (std::size_t c = 0; c < channels; ++c, filter += taps) filters.set(c, o, filter);
    }
    return filters;
}

template <class Points>
Filters<Points> int8_filters(const QuantizedWeights& weights, std::size_t channels, const Outputs& outputs) {
    Filters<Points> filters(channels, outputs.count);
    for (std::size_t o = 0; o < outputs.count; ++o) {
        const std::span<const std::int8_t> row = weights.row(o * outputs.stride);
        const float scale = weights.scales[o * outputs.stride];
        for (std::size_t c = 0; c < channels; ++c) {
            std::array<float, taps> filter{};
            for (std::size_t t = 0; t < taps; ++t) filter[t] = scale * static_cast<float>(row[c * taps + t]);
            filters.set(c, o, filter.data());
        }
    }
    return filters;
}

/// Quantises a tile of real pixels with the 8-bit input's scale.
template <std::size_t pixels>
std::array<std::int32_t, pixels> quantize_pixels(const std::array<float, pixels>& values, float scale) {
    std::array<std::int32_t, pixels> steps{};
    for (std::size_t i = 0; i < pixels; ++i) {
        steps[i] = static_cast<std::int32_t>(std::min(std::nearbyint(values[i] / scale), 255.0F));
    }
    return steps;
}

/// Quantises a transformed input to 8 bits; the result is in real units.
template <class Points>
typename Points::template Values<float> quantize_transformed(
    const typename Points::template Values<std::int32_t>& transformed, const Int8Convolution& int8) {
    constexpr float one = kernels::winograd_int8_multiplier_one(Points::kernel);
    constexpr auto unit = static_cast<std::int32_t>(one);
    constexpr int bits = std::countr_zero(static_cast<std::uint32_t>(unit));
    typename Points::template Values<float> result{};
    for (std::size_t p = 0; p < result.size(); ++p) {
        const std::int32_t multiplier = kernels::winograd_int8_input_multiplier(
            Points::kernel, int8.input_scale, int8.transformed_scale<Points>()[p]);
        const std::int32_t rounded = (transformed[p] * multiplier + unit / 2) >> bits;
        const std::int32_t low = p == sum_position ? 0 : -128;
        const std::int32_t steps = std::clamp(rounded, low, low + 255);
        result[p] = static_cast<float>(steps) * (one * int8.input_scale / static_cast<float>(multiplier));
    }
    return result;
}

/// Sums the products of one tile over the channels.
template <class Points>
class TileProducts {
  public:
    explicit TileProducts(std::size_t outputs) : outputs_(outputs), sums_(Points::positions * outputs) {}

    void add(const typename Points::template Values<float>& inputs, const Filters<Points>& filters,
             std::size_t channel) {
        for (std::size_t p = 0; p < Points::positions; ++p) {
            const float* weights = filters.row(p, channel);
            float* sums = &sums_[p * outputs_];
            for (std::size_t o = 0; o < outputs_; ++o) sums[o] += inputs[p] * weights[o];
        }
    }

    typename Points::Output output(std::size_t index, float bias) const {
        typename Points::template Values<float> sums{};
        for (std::size_t p = 0; p < Points::positions; ++p) sums[p] = sums_[p * outputs_ + index];
        auto pixels = Points::output(sums);
        for (float& pixel : pixels) pixel = std::max(pixel + bias, 0.0F);
        return pixels;
    }

  private:
    std::size_t outputs_;
    std::vector<float> sums_;
};

/// Sums of squares over one tile's outputs.
struct Squares {
    double expected = 0;
    double direct = 0;
    double winograd = 0;
};

template <std::size_t pixels>
double squared_distance(const std::array<float, pixels>& a, const std::array<float, pixels>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

/// What all of a layer's tiles share.
struct Layer {
    const ConvolutionStatistics& statistics;
    std::span<const float> weights;
    std::span<const float> bias;
    const Int8Convolution& int8;
    int threads;
};

/// Over all tiles of one kind.
template <class Points>
class Errors {
  public:
    explicit Errors(const Layer& layer)
        : layer_(layer),
          outputs_(layer.bias.size()),
          exact_(float_filters<Points>(layer.weights, layer.statistics.channels(), outputs_)),
          direct_(int8_filters<Points>(layer.int8.weights, layer.statistics.channels(), outputs_)),
          winograd_(direct_) {
        winograd_.quantize();
    }

    Squares sum() const {
        std::vector<Squares> squares(layer_.statistics.tiles<Points>());
        kernels::parallel_for(layer_.threads, squares.size(),
                              [&](std::size_t index) { squares[index] = of_tile(index); });
        Squares sum;
        for (const Squares& tile : squares) {
            sum.expected += tile.expected;
            sum.direct += tile.direct;
            sum.winograd += tile.winograd;
        }
        return sum;
    }

  private:
    Squares of_tile(std::size_t index) const {
        TileProducts<Points> expected(outputs_.count);
        TileProducts<Points> by_direct(outputs_.count);
        TileProducts<Points> by_winograd(outputs_.count);
        for (std::size_t c = 0; c < layer_.statistics.channels(); ++c) {
            const auto& pixels = layer_.statistics.tile<Points>(index, c);
            const auto steps = Points::input(quantize_pixels(pixels, layer_.int8.input_scale));
            typename Points::template Values<float> real{};
            for (std::size_t p = 0; p < real.size(); ++p) {
                real[p] = static_cast<float>(steps[p]) * layer_.int8.input_scale;
            }
            expected.add(Points::input(pixels), exact_, c);
            by_direct.add(real, direct_, c);
            by_winograd.add(quantize_transformed<Points>(steps, layer_.int8), winograd_, c);
        }
        Squares sums;
        for (std::size_t o = 0; o < outputs_.count; ++o) {
            const std::size_t channel = o * outputs_.stride;
            const float int8_bias = layer_.int8.bias[channel];
            const auto wanted = expected.output(o, layer_.bias[channel]);
            sums.expected += squared_distance(wanted, {});
            sums.direct += squared_distance(wanted, by_direct.output(o, int8_bias));
            sums.winograd += squared_distance(wanted, by_winograd.output(o, int8_bias));
        }
        return sums;
    }

    const Layer& layer_;
    Outputs outputs_;
    Filters<Points> exact_;
    Filters<Points> direct_;
    Filters<Points> winograd_;
};

double relative(double squares, double expected) {
    return expected == 0 ? 0 : std::sqrt(squares / expected);
}

}  // namespace

TileError tile_error(const ConvolutionStatistics& statistics, std::span<const float> weights,
                     std::span<const float> bias, const Int8Convolution& int8, int threads) {
    const Layer layer = {statistics, weights, bias, int8, threads};
    const Squares small = Errors<TileF2x2>(layer).sum();
    const Squares large = Errors<TileF4x4>(layer).sum();
    return {.direct = relative(small.direct, small.expected),
            .winograd = relative(small.winograd, small.expected),
            .winograd_f4x4 = relative(large.winograd, large.expected)};
}

}  // namespace vgg19::converter
