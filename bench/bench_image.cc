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

void fill_batch(std::vector<float>& values, std::size_t batch) {
    const std::size_t image_floats = values.size();
    values.resize(batch * image_floats);
    for (std::size_t i = image_floats; i < values.size(); ++i) values[i] = values[i - image_floats];
}

}  // namespace vgg19::bench
