#include "bench/bench_image.h"

#include <cstddef>

namespace vgg19::embedded {

extern const unsigned char bundled_image[];
extern const std::size_t bundled_image_size;

}  // namespace vgg19::embedded

namespace vgg19::bench {

Image bench_image(const std::optional<std::filesystem::path>& file) {
    if (file) return load_image(*file);
    return decode_image({embedded::bundled_image, embedded::bundled_image_size}, "the bundled image");
}

}  // namespace vgg19::bench
