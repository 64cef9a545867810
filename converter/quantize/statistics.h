// Calibration statistics of a convolution's input.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
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

/// What is counted and kept for one of Winograd's tiles (converter/quantize/winograd_tile.h).
template <class Points>
struct TileStatistics {
    /// Magnitudes of the transformed inputs, by position.
    std::array<Histogram, Points::positions> transformed;
    /// [kept tile][channel]: pixels, including padding.
    std::vector<typename Points::template Pixels<float>> tiles;
};

class ConvolutionStatistics {
  public:
    explicit ConvolutionStatistics(std::size_t channels) : channels_(channels), tap_sums_(channels) {}

    /// Adds the map of one image (finite, never negative) and keeps `more_tiles` of its tiles of 2×2 outputs,
    /// and about as many outputs in tiles of 4×4. The result does not depend on the number of threads.
    void add(const BlockedMap& map, std::size_t more_tiles, int threads);

    std::size_t channels() const { return channels_; }
    const Histogram& inputs() const { return inputs_; }
    /// Magnitudes of the transformed inputs, by position.
    template <class Points = TileF2x2>
    const std::array<Histogram, Points::positions>& transformed() const {
        return of<Points>().transformed;
    }
    /// The mean input of a tap of the 3×3 filter (row by row) in a channel, over all output pixels, including
    /// padding zeros.
    double tap_mean(std::size_t channel, std::size_t tap) const;

    /// Whether maps were large enough to fill a tile of outputs. In a smaller one most of each tile is
    /// padding, and the transformed inputs say little of those of larger maps.
    template <class Points>
    bool fills_tiles() const {
        return largest_map_.height >= Points::step && largest_map_.width >= Points::step;
    }

    template <class Points = TileF2x2>
    std::size_t tiles() const {
        return of<Points>().tiles.size() / channels_;
    }
    /// The pixels of a kept tile, including padding. Kept tiles are spread over the maps.
    template <class Points = TileF2x2>
    const typename Points::template Pixels<float>& tile(std::size_t index, std::size_t channel) const {
        return of<Points>().tiles[index * channels_ + channel];
    }

  private:
    using Taps = std::array<double, 9>;

    template <class Points>
    const TileStatistics<Points>& of() const {
        return std::get<TileStatistics<Points>>(by_tile_);
    }

    std::size_t channels_;
    Histogram inputs_;
    std::tuple<TileStatistics<TileF2x2>, TileStatistics<TileF4x4>> by_tile_;
    std::vector<Taps> tap_sums_;
    MapSize largest_map_;
    double pixels_ = 0;
};

}  // namespace vgg19::converter
