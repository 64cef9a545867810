#include "engine/image/sizes.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {

void check_size(const PixelSize& size, const ImageLimits& limits, Reducible reducible) {
    const std::size_t allowed = reducible == Reducible::yes
                                    ? limits.max_pixels
                                    : std::min(limits.max_pixels, limits.max_irreducible_pixels);
    constexpr std::size_t most_countable = SIZE_MAX / 64;  // so that sums of bytes do not overflow
    const std::size_t most = std::min(allowed, most_countable);
    const auto [width, height] = size;
    const std::string claim =
        "its header names " + std::to_string(width) + "×" + std::to_string(height) + " pixels, ";
    if (width == 0 || height == 0) fail_image(claim + "expected at least one");
    const bool sides_fit = width <= limits.max_side && height <= limits.max_side;
    if (sides_fit && width <= most / height) return;
    fail_image(claim + "expected at most " + std::to_string(limits.max_side) + " a side and " +
               std::to_string(most) + " in all");
}

ImageCost cost_of(const Picture& picture, const ImageOptions& options) {
    const bool is_turned = options.apply_exif && picture.orientation != 1;
    const bool is_transposed = is_turned && picture.orientation >= 5;
    const std::size_t pixels = pixels_of(picture.size);
    ImageCost cost;
    cost.width = is_transposed ? picture.size.height : picture.size.width;
    cost.height = is_transposed ? picture.size.width : picture.size.height;
    cost.memory_bytes = is_turned ? std::max(picture.memory_bytes, 6 * pixels) : picture.memory_bytes;
    cost.work = picture.work + (is_turned ? pixels : 0);
    return cost;
}

void check_cost(const ImageCost& cost, const ImageLimits& limits) {
    if (cost.memory_bytes > limits.max_memory_bytes) {
        fail_image("decoding it takes up to " + std::to_string(cost.memory_bytes) +
                   " bytes of memory, expected at most " + std::to_string(limits.max_memory_bytes));
    }
    if (cost.work > limits.max_work) {
        fail_image("decoding it takes the work of " + std::to_string(cost.work) +
                   " pixels, expected at most " + std::to_string(limits.max_work));
    }
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
