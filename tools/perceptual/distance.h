// How different two pictures look to a network: the perceptual distance of Zhang, Isola, Efros, Shechtman and
// Wang, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, 2018, equation 1, with all
// channel weights w = 1 (no learned weights), where it is twice one minus the cosine of the channels'
// vectors.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::tools {

/// One layer's map of a picture: (channels, height, width). A dense layer's values are a map of one pixel.
struct FeatureMap {
    std::span<const float> values;
    std::size_t channels = 0;
    MapSize size{};
};

/// For each pixel ‖a/‖a‖ − b/‖b‖‖², where a and b are the vectors of its channels: 0 where they have the same
/// direction, 2 where nothing in common, at most 4. A vector of zeros stays one (the norms get 1e-10 added).
/// Both maps have the same shape.
std::vector<float> pixel_distances(const FeatureMap& a, const FeatureMap& b);

/// A layer's distance: the mean of its pixels'. The picture's is the sum over layers.
double mean(std::span<const float> pixels);

/// The map of one layer, enlarged to `to` by bilinear interpolation (pixels are areas: centre i + ½).
std::vector<float> enlarged(std::span<const float> pixels, MapSize from, MapSize to);

/// 10·log₁₀(255² / mean squared difference) of samples, in dB; infinite where they are equal.
double peak_signal_to_noise(std::span<const unsigned char> a, std::span<const unsigned char> b);

}  // namespace vgg19::tools
