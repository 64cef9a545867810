// Calibration statistics of a convolution's input.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "converter/quantize/histogram.h"
#include "converter/quantize/winograd_tile.h"
#include "vgg19/map_size.h"

namespace vgg19::converter {

/// An activation of one image in the layout of kernels/common/blocked_layout.h.
struct BlockedMap {
    const float* values = nullptr;
    std::size_t channels = 0;
    MapSize size{};
    std::size_t block = 0;
};

class ConvolutionStatistics {
  public:
    explicit ConvolutionStatistics(std::size_t channels) : channels_(channels), tap_sums_(channels) {}

    /// Adds the map of one image (finite, never negative) and keeps `more_tiles` of its tiles. The result
    /// does not depend on the number of threads.
    void add(const BlockedMap& map, std::size_t more_tiles, int threads);

    std::size_t channels() const { return channels_; }
    const Histogram& inputs() const { return inputs_; }
    /// Magnitudes of Bᵀ d B, by position.
    const Tile<Histogram>& transformed() const { return transformed_; }
    /// The mean input of a tap of the 3×3 filter (row by row) in a channel, over all output pixels, including
    /// padding zeros.
    double tap_mean(std::size_t channel, std::size_t tap) const;

    std::size_t tiles() const { return tiles_.size() / channels_; }
    /// The pixels of a kept tile, including padding. Kept tiles are spread over the maps.
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
