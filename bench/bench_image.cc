#include "bench/bench_image.h"

#include "converter/variants/bundled_picture.h"

namespace vgg19::bench {

Image bench_image(const std::optional<std::filesystem::path>& file) {
    return file ? load_image(*file) : converter::bundled_picture();
}

void fill_batch(std::vector<float>& values, std::size_t batch) {
    const std::size_t image_floats = values.size();
    values.resize(batch * image_floats);
    for (std::size_t i = image_floats; i < values.size(); ++i) values[i] = values[i - image_floats];
}

}  // namespace vgg19::bench
