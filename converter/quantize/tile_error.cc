#include "converter/quantize/tile_error.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t positions = model::winograd_positions;
constexpr std::size_t taps = 9;
constexpr std::size_t most_outputs = 64;

/// The output channels to compute, `stride` apart.
struct Outputs {
    explicit Outputs(std::size_t all)
        : stride(kernels::blocks_of(all, most_outputs)), count(kernels::blocks_of(all, stride)) {}
    std::size_t stride;
    std::size_t count;
};

/// G g Gᵀ for all filters: [position][input channel][output], so that the weights of a pixel are contiguous.
class Filters {
  public:
    Filters(std::size_t channels, std::size_t outputs)
        : channels_(channels), outputs_(outputs), values_(positions * channels * outputs) {}

    float* row(std::size_t position, std::size_t channel) {
        return &values_[(position * channels_ + channel) * outputs_];
    }
    const float* row(std::size_t position, std::size_t channel) const {
        return &values_[(position * channels_ + channel) * outputs_];
    }
    void set(std::size_t channel, std::size_t output, const float* filter) {
        const Tile<float> values = transform_filter(filter);
        for (std::size_t p = 0; p < positions; ++p) row(p, channel)[output] = values[p];
    }

    /// Rounds as in the packed weights: the largest weight of each position and output becomes 127.
    void quantize() {
        for (std::size_t p = 0; p < positions; ++p) {
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

Filters float_filters(std::span<const float> weights, std::size_t channels, const Outputs& outputs) {
    Filters filters(channels, outputs.count);
    for (std::size_t o = 0; o < outputs.count; ++o) {
        const float* filter = &weights[o * outputs.stride * channels * taps];
        for (std::size_t c = 0; c < channels; ++c, filter += taps) filters.set(c, o, filter);
    }
    return filters;
}

Filters int8_filters(const QuantizedWeights& weights, std::size_t channels, const Outputs& outputs) {
    Filters filters(channels, outputs.count);
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
Tile<std::int32_t> quantize_pixels(const Tile<float>& pixels, float scale) {
    Tile<std::int32_t> steps{};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        steps[i] = static_cast<std::int32_t>(std::min(std::nearbyint(pixels[i] / scale), 255.0F));
    }
    return steps;
}

/// Quantises a transformed input to 8 bits; the result is in real units.
Tile<float> quantize_transformed(const Tile<std::int32_t>& transformed, const Int8Convolution& int8) {
    Tile<float> result{};
    for (std::size_t p = 0; p < positions; ++p) {
        const std::int32_t multiplier = kernels::winograd_int8_input_multiplier(
            kernels::WinogradInt8Tile::f2x2, int8.input_scale, int8.winograd_input_scale[p]);
        const std::int32_t rounded = (transformed[p] * multiplier + 512) >> 10;
        const std::int32_t low = p == sum_position ? 0 : -128;
        const std::int32_t steps = std::clamp(rounded, low, low + 255);
        const float step = kernels::winograd_int8_multiplier_one(kernels::WinogradInt8Tile::f2x2) *
                           int8.input_scale / static_cast<float>(multiplier);
        result[p] = static_cast<float>(steps) * step;
    }
    return result;
}

/// Sums the products of one tile over the channels.
class TileProducts {
  public:
    explicit TileProducts(std::size_t outputs) : outputs_(outputs), sums_(positions * outputs) {}

    void add(const Tile<float>& inputs, const Filters& filters, std::size_t channel) {
        for (std::size_t p = 0; p < positions; ++p) {
            const float* weights = filters.row(p, channel);
            float* sums = &sums_[p * outputs_];
            for (std::size_t o = 0; o < outputs_; ++o) sums[o] += inputs[p] * weights[o];
        }
    }

    std::array<float, 4> output(std::size_t index, float bias) const {
        Tile<float> sums{};
        for (std::size_t p = 0; p < positions; ++p) sums[p] = sums_[p * outputs_ + index];
        std::array<float, 4> pixels = transform_output(sums);
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

double squared_distance(const std::array<float, 4>& a, const std::array<float, 4>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

TileError tile_error(const ConvolutionStatistics& statistics, std::span<const float> weights,
                     std::span<const float> bias, const Int8Convolution& int8, int threads) {
    const std::size_t channels = statistics.channels();
    const Outputs outputs(bias.size());
    const Filters exact = float_filters(weights, channels, outputs);
    const Filters direct = int8_filters(int8.weights, channels, outputs);
    Filters winograd = direct;
    winograd.quantize();

    std::vector<Squares> squares(statistics.tiles());
    kernels::parallel_for(threads, squares.size(), [&](std::size_t index) {
        TileProducts expected(outputs.count);
        TileProducts by_direct(outputs.count);
        TileProducts by_winograd(outputs.count);
        for (std::size_t c = 0; c < channels; ++c) {
            const Tile<float>& pixels = statistics.tile(index, c);
            const Tile<std::int32_t> steps = transform_input(quantize_pixels(pixels, int8.input_scale));
            Tile<float> real{};
            for (std::size_t p = 0; p < positions; ++p) {
                real[p] = static_cast<float>(steps[p]) * int8.input_scale;
            }
            expected.add(transform_input(pixels), exact, c);
            by_direct.add(real, direct, c);
            by_winograd.add(quantize_transformed(steps, int8), winograd, c);
        }
        for (std::size_t o = 0; o < outputs.count; ++o) {
            const std::size_t channel = o * outputs.stride;
            const auto wanted = expected.output(o, bias[channel]);
            squares[index].expected += squared_distance(wanted, {});
            squares[index].direct += squared_distance(wanted, by_direct.output(o, int8.bias[channel]));
            squares[index].winograd += squared_distance(wanted, by_winograd.output(o, int8.bias[channel]));
        }
    });
    Squares sum;
    for (const Squares& tile : squares) {
        sum.expected += tile.expected;
        sum.direct += tile.direct;
        sum.winograd += tile.winograd;
    }
    if (sum.expected == 0) return {};
    return {std::sqrt(sum.direct / sum.expected), std::sqrt(sum.winograd / sum.expected)};
}

}  // namespace vgg19::converter
