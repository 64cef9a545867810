// What calibration finds out about the input of a convolution.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "converter/quantize/histogram.h"
#include "converter/quantize/winograd_tile.h"
#include "vgg19/map_size.h"

namespace vgg19::converter {

/// An activation in the layout of kernels/common/blocked_layout.h, of one image.
struct BlockedMap {
    const float* values = nullptr;
    std::size_t channels = 0;
    MapSize size{};
    std::size_t block = 0;
};

class ConvolutionStatistics {
  public:
    explicit ConvolutionStatistics(std::size_t channels) : channels_(channels), tap_sums_(channels) {}

    /// Adds one image's map, which is never negative and finite, and keeps so many more tiles of it. The
    /// result is the same for every number of threads.
    void add(const BlockedMap& map, std::size_t more_tiles, int threads);

    std::size_t channels() const { return channels_; }
    const Histogram& inputs() const { return inputs_; }
    /// The magnitudes of Bᵀ d B, by position.
    const Tile<Histogram>& transformed() const { return transformed_; }
    /// The mean, over the pixels of the output, of what the 3×3 filter's tap (row by row) sees in a channel,
    /// the zeros of the padding among it.
    double tap_mean(std::size_t channel, std::size_t tap) const;

    std::size_t tiles() const { return tiles_.size() / channels_; }
    /// The pixels of a kept tile, padding among them. Tiles are spread over the maps.
    const Tile<float>& tile(std::size_t index, std::size_t channel) const {
        return tiles_[index * channels_ + channel];
    }

  private:
    using Taps = std::array<double, 9>;

    std::size_t channels_;
    Histogram inputs_;
    Tile<Histogram> transformed_;
    std::vector<Taps> tap_sums_;
    double pixels_ = 0;
    std::vector<Tile<float>> tiles_;
};

}  // namespace vgg19::converter
