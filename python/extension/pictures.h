// Pictures in every form in which Python has them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "vgg19/image.h"
#include "vgg19/map_size.h"

namespace vgg19::python {

namespace nb = nanobind;

/// Pixels, and what keeps them alive.
class Picture {
  public:
    /// - a path (str or os.PathLike), or the bytes of a file (bytes, bytearray, memoryview, uint8 array of
    /// one
    ///   axis): decoded, with its EXIF orientation, as for a network of this input size;
    /// - uint8 array (height, width, 3): R, G, B; used where it lies if each row is without gaps;
    /// - an image of Pillow with 8 bits per channel, or of mode I;16, as it is (without its EXIF
    /// orientation). Transparent pixels are blended over white. Throws TypeError for another object, Error
    /// (usage) for an array of another type or shape or an image of another mode, (bad_input) for a file that
    /// cannot be read. Works without the interpreter's lock where it takes long.
    static Picture of(nb::handle object, MapSize input_size);

    const ImageView& view() const { return view_; }

  private:
    explicit Picture(Image image) : image_(std::move(image)), view_(image_.view()) {}
    explicit Picture(const nb::ndarray<nb::ro>& pixels);
    static Picture of_pillow(nb::handle image);

    Image image_;
    nb::ndarray<nb::ro> pixels_;
    ImageView view_;
};

}  // namespace vgg19::python
