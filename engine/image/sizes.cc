#include "engine/image/sizes.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {

void check_size(const PixelSize& size, const ImageLimits& limits, Reducible reducible) {
    const std::size_t most = reducible == Reducible::yes
                                 ? limits.max_pixels
                                 : std::min(limits.max_pixels, limits.max_irreducible_pixels);
    const auto [width, height] = size;
    const std::string claim =
        "its header names " + std::to_string(width) + "×" + std::to_string(height) + " pixels, ";
    if (width == 0 || height == 0) fail_image(claim + "expected at least one");
    const bool sides_fit = width <= limits.max_side && height <= limits.max_side;
    if (sides_fit && width <= most / height) return;
    fail_image(claim + "expected at most " + std::to_string(limits.max_side) + " a side and " +
               std::to_string(most) + " in all");
}

unsigned reduction_of(const PixelSize& size, const ImageOptions& options) {
    constexpr unsigned most = 8;
    if (size.width * size.height <= options.full_size_pixels) return 1;
    const std::size_t short_side = std::min(size.width, size.height);
    unsigned reduction = most;
    while (reduction > 1 && short_side / reduction < options.reduced_short_side) reduction /= 2;
    return reduction;
}

}  // namespace vgg19
