// Pictures as numbers to optimise: (3, height, width), red, green, blue, from 0 to 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vgg19/image.h"
#include "vgg19/model.h"

namespace vgg19::tools {

std::vector<float> planes_of(const ImageView& image);
/// Rounded; what is below 0 or above 1 becomes 0 or 1.
Image image_of(std::span<const float> planes, MapSize size);
/// Uniform from 0 to 1, the same for the same seed on every machine: number i is the upper 24 bits of
/// SplitMix64's output i for this seed.
std::vector<float> noise_planes(MapSize size, std::uint64_t seed);

/// A network's input as a function of such planes, and the way back for gradients.
class PixelTransform {
  public:
    explicit PixelTransform(const Preprocessing& preprocessing);

    /// Both are (3, height, width).
    void to_input(std::span<const float> planes, std::span<float> input) const;
    /// With respect to the planes, from that with respect to the input. Adds to `planes`.
    void add_gradient(std::span<const float> input, std::span<float> planes) const;

  private:
    /// input[c] = planes[channel]·scale + offset
    struct Channel {
        std::size_t channel = 0;
        float scale = 1;
        float offset = 0;
    };
    std::array<Channel, 3> channels_{};
};

}  // namespace vgg19::tools
