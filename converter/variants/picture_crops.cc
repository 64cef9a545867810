#include "converter/variants/picture_crops.h"

#include "engine/image/preprocess.h"

namespace vgg19::converter {

std::string PictureCrops::name(std::size_t item) const {
    return "crop " + std::to_string(item) + " of the bundled image";
}

Image PictureCrops::picture(std::size_t item) const {
    const ImageView view = crop(item);
    Image image{{}, view.width, view.height};
    for (std::size_t row = 0; row < view.height; ++row) {
        const std::uint8_t* const begin = view.rgb + row * view.stride;
        image.rgb.insert(image.rgb.end(), begin, begin + 3 * view.width);
    }
    return image;
}

void PictureCrops::read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
                        std::span<float> nchw) const {
    preprocess(crop(item), preprocessing, size, nchw);
}

ImageView PictureCrops::crop(std::size_t item) const {
    ImageView view = picture_.view();
    if (item == 0) return view;
    view.width /= 2;
    view.height /= 2;
    const std::size_t row = (item - 1) / 2 * view.height;
    const std::size_t column = (item - 1) % 2 * view.width;
    view.rgb += row * view.stride + 3 * column;
    return view;
}

}  // namespace vgg19::converter
