#include "converter/variants/bundled_picture.h"

#include <cstddef>

namespace vgg19::embedded {

extern const unsigned char bundled_image[];
extern const std::size_t bundled_image_size;

}  // namespace vgg19::embedded

namespace vgg19::converter {

Image bundled_picture() {
    return decode_image({embedded::bundled_image, embedded::bundled_image_size}, "the bundled image");
}

}  // namespace vgg19::converter
